use libtest_mimic::Trial;
pub fn trials(_compiler: &str) -> Vec<Trial> {
    Vec::new()
}
