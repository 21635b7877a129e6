use serde_json::json;

use crate::openapi::operation::Doc;
use crate::openapi::schemas::{Agent, LoggedIn};

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::post("/v1/auth/login", "logIn", "Log in")
            .about("The answer never says whether the address or the password was wrong.")
            .ok::<LoggedIn>()
            .refuses(401, &["wrong_credentials"])
            .example(json!({ "email": "admin@example.com", "password": "correct horse battery staple" })),
        Doc::post("/v1/auth/refresh", "refresh", "Renew the tokens of a session")
            .about("A refresh token is good for one renewal. Using it twice ends the session: somebody else has it.")
            .ok::<LoggedIn>()
            .refuses(401, &["session_ended"])
            .example(json!({ "refresh_token": "the one of the last answer" })),
        Doc::post("/v1/auth/logout", "logOut", "End the session")
            .about("Its access token and its refresh token are worthless from then on."),
        Doc::post("/v1/auth/password", "changePassword", "Change one's own password")
            .about("All other sessions of the agent end with it.")
            .example(json!({
                "currentPassword": "correct horse battery staple", "newPassword": "staple battery horse correct",
            })),
        Doc::get("/v1/auth/me", "whoAmI", "Read oneself").ok::<Agent>().refuses(404, &["not_found"]),
    ]
}
