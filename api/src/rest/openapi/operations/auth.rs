use crate::service::rows::agents::AgentView;
use serde_json::json;

use crate::rest::auth::LoggedInBody;
use crate::rest::openapi::operation::Doc;

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::post("/v1/auth/login", "logIn", "Log in")
            .about("The answer does not reveal whether the address or the password was wrong.")
            .ok::<LoggedInBody>()
            .refuses(401, &["wrong_credentials"])
            .example(json!({ "email": "admin@example.com", "password": "correct horse battery staple" })),
        Doc::post("/v1/auth/refresh", "refresh", "Renew the tokens of a session")
            .about("A refresh token is valid for one renewal. Used again within a minute, it gives the same new tokens, because networks repeat requests; later, it ends the session, because the token may have been stolen.")
            .ok::<LoggedInBody>()
            .refuses(401, &["session_ended"])
            .example(json!({ "refresh_token": "the token of the last answer" })),
        Doc::post("/v1/auth/logout", "logOut", "End the session")
            .about("Revokes the access token and the refresh token of the session."),
        Doc::post("/v1/auth/password", "changePassword", "Change the current agent's password")
            .about("Ends all other sessions of the agent.")
            .example(json!({
                "currentPassword": "correct horse battery staple", "newPassword": "staple battery horse correct",
            })),
        Doc::get("/v1/auth/me", "whoAmI", "Get the current agent").ok::<AgentView>().refuses(404, &["not_found"]),
    ]
}
