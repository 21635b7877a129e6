use serde_json::{Value, json};

/// A field of an answer that the collection saves.
#[derive(Clone, Copy)]
pub struct Save {
    /// The variable to save it in.
    pub variable: &'static str,
    /// The field of the body.
    pub field: &'static str,
}

/// A request of the story.
pub struct Step {
    /// The operation's id.
    pub operation: &'static str,
    /// Its body, if the document's example does not fit the story.
    pub body: Option<Value>,
    /// Whether the visitor sends it instead of the admin.
    pub visitor: bool,
    /// The fields of the answer to save.
    pub saves: Vec<Save>,
}

impl Step {
    fn keeps(mut self, variable: &'static str, field: &'static str) -> Self {
        self.saves.push(Save { variable, field });
        self
    }

    fn keeps_tokens(self) -> Self {
        self.keeps("accessToken", "access_token").keeps("refreshToken", "refresh_token")
    }

    fn with(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    fn by_visitor(self) -> Self {
        Self { visitor: true, ..self }
    }
}

const fn step(operation: &'static str) -> Step {
    Step { operation, body: None, visitor: false, saves: vec![] }
}

/// Every operation once, in an order in which each one succeeds.
pub fn story() -> Vec<(&'static str, Vec<Step>)> {
    vec![
        ("1 Log in", log_in()),
        ("2 Set up a team", team()),
        ("3 A visitor asks", visitor()),
        ("4 The desk", desk()),
        ("5 Delete and restore", delete_and_restore()),
        (
            "6 The service",
            ["listAudit", "health", "livez", "readyz", "metrics", "openApi", "asyncApi", "docs", "docsScript"]
                .map(step)
                .into(),
        ),
        ("7 Log out", log_out()),
    ]
}

fn log_in() -> Vec<Step> {
    let credentials = json!({ "email": "{{adminEmail}}", "password": "{{adminPassword}}" });
    vec![
        step("logIn").with(credentials).keeps_tokens(),
        step("refresh").with(json!({ "refresh_token": "{{refreshToken}}" })).keeps_tokens(),
        step("whoAmI"),
        step("sendHeartbeat"),
    ]
}

fn team() -> Vec<Step> {
    // Each run creates its own agents and tags.
    let anna = json!({
        "name": "Anna", "email": "anna-{{$timestamp}}@example.com", "password": "correct horse battery staple",
    });
    vec![
        step("createGroup").keeps("groupId", "id"),
        step("listGroups"),
        step("readGroup"),
        step("changeGroup"),
        step("createAgent").with(anna).keeps("agentId", "id"),
        step("listAgents"),
        step("readAgent"),
        step("changeAgent"),
        step("setAgentStatus"),
        step("resetPassword"),
        step("readAgentStats"),
        step("addGroupAgents").with(json!({ "agentIds": ["{{agentId}}"] })),
        step("createTag").with(json!({ "name": "Urgent {{$timestamp}}", "color": "#CC0000" })).keeps("tagId", "id"),
        step("listTags"),
        step("readTag"),
        step("changeTag"),
    ]
}

fn visitor() -> Vec<Step> {
    let hello = json!({
        "name": "Vera", "email": "vera@example.com", "initialMessage": "Hello, is anybody there?", "groupId": "{{groupId}}",
    });
    vec![
        step("startSession")
            .with(hello)
            .keeps("visitorToken", "sessionToken")
            .keeps("visitorId", "visitorId")
            .keeps("conversationId", "conversationId")
            .keeps("threadId", "threadId"),
        step("renewVisitorSession")
            .with(json!({ "sessionToken": "{{visitorToken}}" }))
            .keeps("visitorToken", "sessionToken"),
        step("sendToThread").by_visitor(),
        step("sendToConversation").by_visitor(),
        step("listThreadEvents").by_visitor(),
        step("markRead").by_visitor(),
        step("signalTyping").by_visitor(),
        step("issueStreamTicket").by_visitor(),
    ]
}

fn desk() -> Vec<Step> {
    vec![
        step("listQueue"),
        step("queueStats"),
        step("listConversations"),
        step("countConversations"),
        step("readConversation"),
        step("assignConversation").with(json!({ "agentId": "{{agentId}}", "reason": "Knows the customer" })),
        step("listAssignments"),
        step("tagConversation").with(json!({ "tagId": "{{tagId}}" })),
        step("untagConversation"),
        step("changeConversations")
            .with(json!({ "conversationIds": ["{{conversationId}}"], "tag": { "tagId": "{{tagId}}" } })),
        step("transferConversation").with(json!({ "groupId": "{{groupId}}", "reason": "A question about the bill" })),
        step("closeConversation"),
        step("reopenConversation").by_visitor(),
        step("exportPersonalData"),
        step("erasePersonalData"),
    ]
}

fn delete_and_restore() -> Vec<Step> {
    let steps =
        ["removeGroupAgent", "deleteTag", "restoreTag", "deleteGroup", "restoreGroup", "deleteAgent", "restoreAgent"];
    steps.map(step).into()
}

fn log_out() -> Vec<Step> {
    let same = json!({ "currentPassword": "{{adminPassword}}", "newPassword": "{{adminPassword}}" });
    vec![step("changePassword").with(same), step("logOut")]
}
