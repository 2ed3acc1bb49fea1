use crate::program::Program;

#[test]
fn a_program_is_tested_without_a_server() {
    let said = Program::new("testing").run().success();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 5);
    assert!(lines.iter().all(|line| line.ends_with(": ok")), "{said}");
}
