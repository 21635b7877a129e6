use serde_json::json;

use crate::openapi::operation::Doc;
use crate::openapi::schemas::{Page, Tag};

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::get("/v1/tags", "listTags", "List the tags").ok::<Page<Tag>>(),
        Doc::post("/v1/tags", "createTag", "Create a tag")
            .created::<Tag>()
            .refuses(409, &["tag_name_taken"])
            .example(json!({ "name": "Urgent", "color": "#CC0000" })),
        Doc::get("/v1/tags/{id}", "readTag", "Read a tag").ok::<Tag>(),
        Doc::patch("/v1/tags/{id}", "changeTag", "Change a tag")
            .changed::<Tag>()
            .refuses(409, &["tag_name_taken"])
            .example(json!({ "color": "#00AA55" })),
        Doc::delete("/v1/tags/{id}", "deleteTag", "Delete a tag")
            .about("It stays on the conversations that have it.")
            .changed::<Tag>(),
        Doc::post("/v1/tags/{id}/restore", "restoreTag", "Restore a deleted tag")
            .changed::<Tag>()
            .refuses(409, &["tag_name_taken"]),
    ]
}
