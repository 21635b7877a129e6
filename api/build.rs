//! Makes a release contain the pages as they are: rust-embed follows changed files, but not new ones. Debug builds read the
//! folder when they run.

fn main() {
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    println!("cargo:rerun-if-changed={}", if is_release { "web" } else { "build.rs" });
}
