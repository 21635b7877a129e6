use crate::claim::claim;
use crate::ids::{TagId, TagNameClaimId};

claim! {
    /// The claim on a tag's name, in whatever case it is written: of the tags that are not deleted, one owns it.
    TagNameClaim: TagNameClaim, TagNameClaimId;
    owner tag_id: TagId;
    command TagNameClaimCommand; event TagNameClaimEvent { TagNameClaimed, TagNameReleased };
    error TagNameClaimError: "another tag has this name"
}

#[cfg(test)]
mod tests {
    use super::{TagNameClaim, TagNameClaimCommand, TagNameClaimError, TagNameClaimEvent};
    use crate::ids::{TagId, TagNameClaimId};
    use crate::testing::{given, given_nothing};
    use crate::text::Name;
    use crate::time::Timestamp;
    use uuid::Uuid;

    const AT: Timestamp = Timestamp::from_micros(1);
    const VIP: TagId = TagId::new(Uuid::from_u128(1));
    const OTHER: TagId = TagId::new(Uuid::from_u128(2));

    #[test]
    fn name_belongs_to_the_tag_that_claims_it_first_until_it_gives_it_back() {
        let claimed = TagNameClaimEvent::TagNameClaimed { tag_id: VIP, at: AT };
        let released = TagNameClaimEvent::TagNameReleased { tag_id: VIP, at: AT };
        let claim = |tag_id| TagNameClaimCommand::Claim { tag_id, at: AT };
        given_nothing::<TagNameClaim>().when(claim(VIP)).then([claimed.clone()]);
        given([claimed.clone()]).when(claim(OTHER)).then_error(TagNameClaimError::Taken);
        let taken_back = [claimed, released];
        given(taken_back).when(claim(OTHER)).then([TagNameClaimEvent::TagNameClaimed { tag_id: OTHER, at: AT }]);
    }

    #[test]
    fn case_and_surrounding_space_make_no_other_name() {
        let id = |text| TagNameClaimId::of(&Name::parse(text).unwrap());
        assert_eq!(id("VIP"), id(" vip "));
        assert_eq!(id("VIP"), id("v\u{200d}ip\u{fe0f}"));
        assert_ne!(id("VIP"), id("VIPs"));
    }
}
