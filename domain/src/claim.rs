//! One living owner for each name, kept by a stream of its own: two who claim the same name at once meet at the same
//! place of the same stream.

/// Makes an aggregate that keeps one owner for one name.
macro_rules! claim {
    (
        $(#[$doc:meta])* $claim:ident: $kind:ident, $id:ty;
        owner $owner:ident: $owner_id:ty;
        command $command:ident; event $event:ident { $claimed:ident, $released:ident };
        error $error:ident: $refusal:literal
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $claim {
            /// The owner.
            pub $owner: Option<$owner_id>,
        }

        /// What the claim can be told to do.
        #[derive(Clone, Copy, Debug)]
        pub enum $command {
            /// Belong to an owner.
            Claim {
                /// The owner.
                $owner: $owner_id,
                /// When.
                at: $crate::time::Timestamp,
            },
            /// Belong to nobody.
            Release {
                /// The owner who gives it back.
                $owner: $owner_id,
                /// When.
                at: $crate::time::Timestamp,
            },
        }

        /// Why the claim refuses a command.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
        pub enum $error {
            /// Another owner has it.
            #[error($refusal)]
            Taken,
        }

        /// What happens to the claim.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "type", rename_all_fields = "camelCase")]
        pub enum $event {
            /// It belongs to an owner.
            $claimed {
                /// The owner.
                $owner: $owner_id,
                /// When.
                at: $crate::time::Timestamp,
            },
            /// It belongs to nobody.
            $released {
                /// The owner who had it.
                $owner: $owner_id,
                /// When.
                at: $crate::time::Timestamp,
            },
        }

        $crate::aggregate::events!($event { $claimed => "1.0", $released => "1.0" });
        $crate::aggregate::aggregate!($claim, $kind, $id, $command, $event, $error);

        impl $claim {
            fn decide_command(&self, command: $command) -> Result<Vec<$event>, $error> {
                match command {
                    $command::Claim { $owner, at } => match self.$owner {
                        Some(owner) if owner == $owner => Ok(vec![]),
                        Some(_) => Err($error::Taken),
                        None => Ok(vec![$event::$claimed { $owner, at }]),
                    },
                    $command::Release { $owner, at } if self.$owner == Some($owner) => {
                        Ok(vec![$event::$released { $owner, at }])
                    }
                    $command::Release { .. } => Ok(vec![]),
                }
            }

            fn on(&mut self, event: $event) {
                match event {
                    $event::$claimed { $owner, .. } => self.$owner = Some($owner),
                    $event::$released { .. } => self.$owner = None,
                }
            }
        }
    };
}

pub(crate) use claim;
