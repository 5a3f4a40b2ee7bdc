//! Prints the table of all recipe options as it stands in GUIDE.md: `cargo run -p graftling --example options`.

fn main() {
    print!("{}", graftling::recipe::reference_markdown());
}
