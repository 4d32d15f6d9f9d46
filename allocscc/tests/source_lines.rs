//! Addresses of real programs lead back to the lines and inlined calls that they come from.

mod compile;

use allocscc::dwarf::lines::LineIndex;
use allocscc::dwarf::scopes::Scopes;
use allocscc::dwarf::units::{DebugData, Units};

const PROGRAM: &str = r#"
extern void *malloc(unsigned long);
void *volatile sink;
static inline __attribute__((always_inline)) void *inner(unsigned long n)
{
  return malloc(n);
}
static inline __attribute__((always_inline)) void *outer(unsigned long n)
{
  return inner(n + 1);
}
int main(void)
{
  sink = outer(3);
  return 0;
}
"#;

#[test]
fn the_chain_of_inlined_calls_is_found() {
    for case in compile::matrix() {
        let file = case.link(PROGRAM);
        let bytes = file.bytes();
        let data = DebugData::load(&bytes).unwrap();
        let units = Units::new(&data).unwrap();
        let scopes = Scopes::read(&units);
        let lines = LineIndex::build(&units, &scopes);
        let main = data.file().symbols().into_iter().find(|s| s.name == "main").unwrap();
        let chains: Vec<String> = (main.svma..main.svma + main.size)
            .map(|pc| {
                let frames = lines.frames_at(pc);
                let frame = |f: &allocscc::dwarf::lines::SourceFrame<'_>| {
                    format!("{} {}:{} {}", f.function, f.basename(), f.line, f.is_inlined)
                };
                frames.iter().map(frame).collect::<Vec<_>>().join(" < ")
            })
            .collect();
        let expected = "inner program.c:6 true < outer program.c:10 true < main program.c:14 false";
        assert!(chains.iter().any(|c| c == expected), "{case}: {chains:#?}");
        assert!(lines.frames_at(1).is_empty());
    }
}
