//! A set of children, and what it does for a parent.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{ChildSet, Key, Tap};
use crate::{
    connectivity::Connectivity,
    endpoint::{Address, Endpoint},
    lb::{
        Command, Cx, Event, Fixed, LbPolicy, Mint, Pick, Picker, Rejected, Resolution, SubchannelId, SubchannelState,
        Timer, Wake, Watch,
    },
    status::Status,
};

/// Holds one token of each kind, reports READY for each event, and offers a new wake whenever it is asked for a picker.
#[derive(Debug, Default)]
struct Puppet {
    subchannel: Option<SubchannelId>,
    health: Option<Watch>,
    timer: Option<Timer>,
    wakes: Vec<Wake>,
    /// Keeps everything past its shutdown.
    clings: bool,
}

impl LbPolicy for Puppet {
    fn on_resolution(&mut self, cx: &mut Cx<'_>, _: &Resolution) -> Result<(), Rejected> {
        let address = Address::Opaque("a".into());
        let id = cx.create(&Endpoint::new([address.clone()]), &address);
        self.subchannel = Some(id);
        self.health = Some(cx.watch_health(id));
        self.timer = Some(cx.arm(Duration::from_secs(1)));
        self.wakes.push(cx.offer());
        Ok(())
    }
    fn on_resolver_error(&mut self, _: &mut Cx<'_>, _: &Status) {}
    fn on_event(&mut self, cx: &mut Cx<'_>, event: &Event) {
        if let Event::Timer(_) = event {
            self.timer = None;
        }
        cx.report(Connectivity::Ready);
    }
    fn picker(&mut self, cx: &mut Cx<'_>) -> Arc<dyn Picker> {
        self.wakes.push(cx.offer());
        Arc::new(Fixed::new(Pick::Queue))
    }
    fn exit_idle(&mut self, _: &mut Cx<'_>) {}
    fn shutdown(&mut self, cx: &mut Cx<'_>) {
        if self.clings {
            return;
        }
        self.subchannel.into_iter().for_each(|id| cx.shutdown(id));
        self.timer.into_iter().for_each(|timer| cx.cancel(timer));
        self.wakes.drain(..).for_each(|wake| cx.withdraw(wake));
    }
}

/// Watches the load of every subchannel it sees being made.
#[derive(Debug, Default)]
struct Curious(Vec<(Key, Watch)>);

impl Tap for Curious {
    fn see(&mut self, cx: &mut Cx<'_>, child: Key, command: &Command) {
        if let Command::Create { id, .. } = command {
            self.0.push((child, cx.watch_load(*id, Duration::from_secs(5))));
        }
    }
}

#[allow(clippy::disallowed_methods)] // A test needs some instant to count from.
fn context<'a>(mint: &'a mut Mint, out: &'a mut Vec<Command>) -> Cx<'a> {
    Cx::new(Instant::now(), mint, out)
}

/// A set with one resolved puppet, and everything that was commanded.
fn one_puppet<T: Tap + Default>(clings: bool) -> (ChildSet<T>, Key, Mint, Vec<Command>) {
    let (mut set, mut mint, mut out) = (ChildSet::tapped(T::default()), Mint::new(1), vec![]);
    let key = set.insert(Box::new(Puppet { clings, ..Puppet::default() }));
    let mut cx = context(&mut mint, &mut out);
    assert_eq!(set.call(&mut cx, key, |p, cx| p.on_resolution(cx, &Resolution::default()).unwrap()), None);
    (set, key, mint, out)
}

fn created(out: &[Command]) -> SubchannelId {
    out.iter().find_map(|c| if let Command::Create { id, .. } = c { Some(*id) } else { None }).unwrap()
}

#[test]
fn an_event_reaches_the_owner_of_its_token_and_its_report_comes_back() {
    let (mut set, key, mut mint, out) = one_puppet::<super::NoTap>(false);
    let mut more = vec![];
    let mut cx = context(&mut mint, &mut more);
    let report = set.route(&mut cx, &Event::Subchannel(created(&out), SubchannelState::Ready)).unwrap();
    assert_eq!((report.child, report.from, report.to), (key, Connectivity::Connecting, Connectivity::Ready));
    assert_eq!((set.count(Connectivity::Connecting), set.count(Connectivity::Ready)), (0, 1));
    assert_eq!(set.take_stale().into_iter().collect::<Vec<_>>(), [key]);
    assert_eq!(cx.reported(), None, "the parent has not reported");
}

#[test]
fn a_late_event_is_dropped() {
    let (mut set, key, mut mint, out) = one_puppet::<super::NoTap>(false);
    let timer = out.iter().find_map(|c| if let Command::Arm { timer, .. } = c { Some(*timer) } else { None }).unwrap();
    let mut more = vec![];
    let mut cx = context(&mut mint, &mut more);
    assert!(set.route(&mut cx, &Event::Timer(timer)).is_some());
    assert_eq!(set.route(&mut cx, &Event::Timer(timer)), None, "a timer fires once");
    set.remove(&mut cx, key);
    assert_eq!(set.route(&mut cx, &Event::Subchannel(created(&out), SubchannelState::Idle)), None);
}

#[test]
fn what_a_child_asks_for_while_it_makes_a_picker_is_its_own() {
    let (mut set, key, mut mint, _) = one_puppet::<super::NoTap>(false);
    let mut out = vec![];
    let mut cx = context(&mut mint, &mut out);
    assert!(set.picker(&mut cx, key).is_some());
    let Command::Offer(wake) = out[0] else { panic!("{out:?}") };
    let mut out = vec![];
    assert!(set.route(&mut context(&mut mint, &mut out), &Event::Wake(wake)).is_some());
}

#[test]
fn what_a_tap_adds_follows_the_command_it_saw() {
    let (set, key, _, out) = one_puppet::<Curious>(false);
    let id = created(&out);
    assert!(matches!(&out[..2], [Command::Create { .. }, Command::WatchLoad { watch, .. }] if watch.of() == id));
    let [(child, watch)] = set.tap().0[..] else { panic!("{:?}", set.tap()) };
    assert_eq!((child, set.owner(super::Token::Watch(watch))), (key, None), "the parent's watch is not the child's");
}

#[test]
fn a_removed_child_that_behaved_leaves_nothing_behind() {
    let (mut set, key, mut mint, _) = one_puppet::<super::NoTap>(false);
    let mut out = vec![];
    set.remove(&mut context(&mut mint, &mut out), key);
    assert!(set.is_empty() && set.owners.is_empty());
    assert_eq!((out.len(), set.state(key), set.count(Connectivity::Connecting)), (3, None, 0));
}

#[test]
fn the_tokens_of_a_removed_child_that_clings_to_them_are_given_back() {
    let (mut set, key, mut mint, _) = one_puppet::<super::NoTap>(true);
    let mut out = vec![];
    let mut cx = context(&mut mint, &mut out);
    let removed = catch_unwind(AssertUnwindSafe(|| set.remove(&mut cx, key)));
    assert_eq!(removed.is_err(), cfg!(debug_assertions), "a debug build tells of the leak");
    assert!(set.owners.is_empty());
    assert!(
        matches!(&out[..], [Command::Shutdown(_), Command::Cancel(_), Command::Withdraw(_)]),
        "the watch goes with its subchannel: {out:?}"
    );
}
