//! Unique names: each name has a stream of its own, which holds its owner. Two claims of one name at the same time
//! append to the same stream at the same version, so that one of them meets a conflict.

/// Defines an aggregate that holds the owner of one name.
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
            /// `None` while nobody claims the name.
            pub $owner: Option<$owner_id>,
        }

        /// Orders to the claim.
        #[derive(Clone, Copy, Debug)]
        pub enum $command {
            Claim {
                $owner: $owner_id,
                at: $crate::time::Timestamp,
            },
            /// Changes nothing unless this owner holds the claim.
            Release {
                $owner: $owner_id,
                at: $crate::time::Timestamp,
            },
        }

        /// Why the claim refuses a command.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
        pub enum $error {
            /// Another owner holds the claim.
            #[error($refusal)]
            Taken,
        }

        /// Facts about the claim.
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "type", rename_all_fields = "camelCase")]
        pub enum $event {
            $claimed {
                $owner: $owner_id,
                at: $crate::time::Timestamp,
            },
            $released {
                $owner: $owner_id,
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
