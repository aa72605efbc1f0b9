//! Tests of reading the scheduler's books.

use super::{on_cpu, used_by};

#[test]
fn the_first_number_is_the_time_on_a_cpu() {
    assert_eq!(on_cpu("1925238 17 4\n").unwrap(), 1_925_238);
}

#[test]
fn a_line_without_numbers_is_an_error() {
    assert!(on_cpu("").is_err());
    assert!(on_cpu("nonsense 1 2").is_err());
}

#[test]
fn this_process_can_be_read() {
    used_by(std::process::id()).unwrap();
}

#[test]
fn a_process_that_does_not_exist_is_an_error_that_names_it() {
    let error = used_by(u32::MAX).unwrap_err();
    assert!(error.to_string().starts_with("/proc/4294967295/task: "), "{error}");
}
