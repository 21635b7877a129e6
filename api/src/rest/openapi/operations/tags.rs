use crate::service::rows::Page;
use crate::service::rows::tags::TagView;
use serde_json::json;

use crate::rest::openapi::operation::Doc;

pub(super) fn docs() -> Vec<Doc> {
    vec![
        Doc::get("/v1/tags", "listTags", "List tags").ok::<Page<TagView>>(),
        Doc::post("/v1/tags", "createTag", "Create a tag")
            .created::<TagView>()
            .refuses(409, &["tag_name_taken"])
            .example(json!({ "name": "Urgent", "color": "#CC0000" })),
        Doc::get("/v1/tags/{id}", "readTag", "Get a tag").ok::<TagView>(),
        Doc::patch("/v1/tags/{id}", "changeTag", "Change a tag")
            .changed::<TagView>()
            .refuses(409, &["tag_name_taken"])
            .example(json!({ "color": "#00AA55" })),
        Doc::delete("/v1/tags/{id}", "deleteTag", "Delete a tag")
            .about("Conversations keep the tag.")
            .changed::<TagView>(),
        Doc::post("/v1/tags/{id}/restore", "restoreTag", "Restore a deleted tag")
            .changed::<TagView>()
            .refuses(409, &["tag_name_taken"]),
    ]
}
