//! What the product is for: a visitor asks, an agent answers, and both see it at once.

use crate::driver::{browsers, has_browser};
use crate::people::{begin, go_online, hire, log_in, messages, open_chat, reply, server, visit, write};

#[tokio::test]
async fn visitor_and_agent_talk() {
    if !has_browser("visitor_and_agent_talk") {
        return;
    }
    let server = server().await;
    hire(&server, "Anna Berg", "agent").await;
    let [agent, visitor] = browsers().await;

    log_in(&agent, &server, "Anna Berg").await;
    go_online(&agent).await;
    visit(&visitor, &server).await;
    begin(&visitor, "Vera Lind", "Is my desk on its way?").await;

    open_chat(&agent, "Vera Lind").await;
    reply(&agent, "It arrives on Friday.").await;
    visitor.wait_for_text("It arrives on Friday.").await;
    visitor.wait_for_text("You are talking with Anna Berg").await;
    write(&visitor, "Thank you!").await;
    agent.wait_for_text("Thank you!").await;

    let said = ["Is my desk on its way?", "It arrives on Friday.", "Thank you!"];
    assert_eq!(messages(&agent).await, said);
    assert_eq!(messages(&visitor).await, said);

    agent.click(".talk .head button:nth-of-type(2)").await;
    agent.click("dialog button.primary").await;
    visitor.wait_for_text("This chat has ended").await;
    write(&visitor, "One more thing.").await;
    agent.wait_for_text("One more thing.").await;

    assert_eq!(agent.errors().await, Vec::<String>::new());
    assert_eq!(visitor.errors().await, Vec::<String>::new());
}
