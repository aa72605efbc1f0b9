//! No question is lost, and none is left open.

use super::*;

#[test]
fn each_question_is_taken_once() {
    let inquiries = Inquiries::new();
    assert!(inquiries.take().is_empty());
    let mut answered = [inquiries.put(7), inquiries.put(8)];
    let taken = inquiries.take();
    assert_eq!(taken.iter().map(|inquiry| inquiry.connection).collect::<Vec<_>>(), [7, 8]);
    assert!(inquiries.take().is_empty());
    for Inquiry { answer, .. } in taken {
        answer.send(vec![]).unwrap();
    }
    assert_eq!(answered.each_mut().map(oneshot::Receiver::try_recv), [Ok(vec![]), Ok(vec![])]);
}

#[test]
fn questions_to_a_connection_that_ends_fail_whether_they_come_before_or_after() {
    let inquiries = Inquiries::new();
    let mut before = inquiries.put(7);
    inquiries.close();
    let mut after = inquiries.put(7);
    assert!(before.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Closed));
    assert!(after.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Closed));
    assert!(inquiries.take().is_empty());
}
