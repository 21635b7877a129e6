//! One SQLite in the program, and only one driver of it.

use super::metadata;

#[test]
fn lock_file_has_one_sqlite() {
    let metadata = metadata();
    let libraries: Vec<_> = metadata.packages.iter().filter(|package| *package.name == "libsqlite3-sys").collect();
    assert_eq!(libraries.len(), 1, "{libraries:?}");
    let bundled = &metadata.resolve.as_ref().expect("cargo resolves").nodes;
    let library = bundled.iter().find(|node| node.id == libraries[0].id).expect("it is used");
    assert!(library.features.iter().any(|feature| feature.as_str() == "bundled"), "{:?}", library.features);
}

/// Cargo resolves sqlx-sqlite because of a weak feature, and compiles it only if sqlx enables it.
#[test]
fn sqlx_enables_no_sqlite_and_what_stands_for_it_is_empty() {
    let metadata = metadata();
    let stand_in = metadata.packages.iter().find(|package| *package.name == "sqlx-sqlite").expect("it is resolved");
    assert!(stand_in.source.is_none(), "{:?} is not the one of this repository", stand_in.id);
    assert!(stand_in.dependencies.is_empty(), "{:?}", stand_in.dependencies);
    let nodes = &metadata.resolve.as_ref().expect("cargo resolves").nodes;
    let drivers = metadata.packages.iter().filter(|package| package.name.starts_with("sqlx"));
    for driver in drivers.filter(|package| *package.name != "sqlx-sqlite") {
        let node = nodes.iter().find(|node| node.id == driver.id).expect("each package has a node");
        let enabled: Vec<_> = node.features.iter().filter(|feature| feature.contains("sqlite")).collect();
        assert!(enabled.is_empty(), "{} enables {enabled:?}", *driver.name);
    }
}
