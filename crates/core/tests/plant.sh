#!/bin/sh
# Plants one bug at a time in a copy of the policies and expects the tests to catch it: the random histories, or a story.
# Usage: crates/core/tests/plant.sh [scratch directory] [only files whose path begins with this]
set -u
root=$(cd "$(dirname "$0")/../../.." && pwd)
scratch=${1:-$(mktemp -d)}
only=${2:-}
missed=0

fresh() {
    rm -rf "$scratch/crates"
    mkdir -p "$scratch/crates"
    cp -r "$root/crates/core" "$root/crates/sim" "$scratch/crates/"
    cp "$root/Cargo.lock" "$scratch/"
    sed -e 's|^members = .*|members = ["crates/*"]|' -e '/^default-members/d' -e '/^exclude/d' \
        "$root/Cargo.toml" > "$scratch/Cargo.toml"
}

plant() { # name, file, from, to
    case $2 in "$only"*) ;; *) return ;; esac
    cp "$root/crates/core/src/lb/$2" "$scratch/crates/core/src/lb/$2"
    FROM=$3 TO=$4 perl -0pi -e 's/\Q$ENV{FROM}\E/$ENV{TO}/ or die "pattern not found\n"' \
        "$scratch/crates/core/src/lb/$2" || { echo "CANNOT PLANT $1"; missed=1; return; }
    if (cd "$scratch" && cargo test -q -p thalweg-core --lib --test it -- --skip layers) > "$scratch/log" 2>&1; then
        echo "MISSED  $1"; missed=1
    elif grep -q 'breaks the contract' "$scratch/log"; then
        steps=$(grep -o 'breaks the contract in [0-9]* steps' "$scratch/log" | head -1)
        echo "caught  $1: $steps: $(grep -A2 'breaks the contract' "$scratch/log" | sed -n 3p | cut -c1-80)"
    elif grep -q 'panicked at' "$scratch/log"; then
        echo "caught  $1: by $(grep -o "^thread '[^']*" "$scratch/log" | head -1 | cut -d"'" -f2)"
    else
        echo "DOES NOT COMPILE $1 (see $scratch/log)"; missed=1
    fi
    cp "$root/crates/core/src/lb/$2" "$scratch/crates/core/src/lb/$2"
}

fresh
plant 'a swap-remove forgets who moved' dense/mod.rs 'self.places.insert(*moved, place);' 'let _ = moved;'
plant 'a removal leaves the last value where it was' dense/mod.rs 'self.values.set(place, last);' 'drop(last);'
plant 'a value is put beside its place' dense/vector.rs 'Arc::make_mut(values)[place % WIDTH] = value' 'Arc::make_mut(values)[0] = value'
plant 'a tree never grows' dense/vector.rs 'self.height += 1;' ''
plant 'a tree never shrinks' dense/vector.rs 'self.height -= 1;' ''
plant 'a child that left READY stays in the picker' petiole/mod.rs 'if state != Some(Connectivity::Ready) {' 'if false {'
plant 'a child that left TRANSIENT_FAILURE keeps its story' petiole/mod.rs \
    'if state != Some(Connectivity::TransientFailure) {' 'if false {'
plant 'a child that left READY does not make the picker stale' petiole/mod.rs \
    '[report.from, report.to].contains(&Connectivity::Ready)' 'report.to == Connectivity::Ready'
plant 'a changed child does not report upwards' petiole/mod.rs 'if shown || self.state != Some(state) {' \
    'if self.state != Some(state) {'
plant 'an idle child is left alone' petiole/mod.rs 'if report.to == Connectivity::Idle {' 'if false {'
plant 'an endpoint that goes keeps its child' petiole/mod.rs 'for seat in old.into_values() {' \
    'for seat in old.into_values().take(0) {'
plant 'what is kept anew does not reach the picker' petiole/mod.rs 'self.ready.insert(child, Ready { kept, ..ready });' \
    'drop((kept, ready));'
plant 'the events of a spread are dropped' petiole/mod.rs 'if self.children.owner(event.token()).is_none() {' 'if false {'
plant 'a spread does not hear of its shutdown' petiole/mod.rs 'self.spread().shutdown(cx);' ''
plant 'a spread does not see what leaves command' petiole/leaves.rs 'self.spread.see(cx, kept, command);' 'let _ = (cx, kept, command);'
plant 'the rotation sticks' round_robin/picker.rs 'fetch_add(1, Relaxed)' 'fetch_add(0, Relaxed)'
plant 'one endpoint is never drawn' random/picker.rs 'args.place(self.0.len())' 'args.place(self.0.len().max(2) - 1)'
plant 'calls that have ended still count' least_request/picker.rs 'self.0.fetch_sub(1, Relaxed);' ''
plant 'the most loaded is picked' least_request/picker.rs 'drawn.min_by_key' 'drawn.max_by_key'
plant 'only one is drawn' least_request/picker.rs '(0..self.choices)' '(0..1)'
plant 'the two drawn are the same' least_request/picker.rs 'let drawn =' 'let args = &PickArgs::new("", args.now, 1);
        let drawn ='
plant 'nobody counts' least_request/mod.rs 'if let Command::Create { id, .. } = command {' 'if let Command::Create { id, .. } = command && false {'
plant 'a new choice count is ignored' least_request/mod.rs 'self.config = *config;' 'let _ = config;'
plant 'too few choices are taken' least_request/config.rs 'if count < FEWEST {' 'if false {'
plant 'the dearer one is picked' peak_ewma/picker.rs 'now) < one.kept' 'now) > one.kept'
plant 'one endpoint is drawn twice' peak_ewma/picker.rs 'first + 1 +' 'first +'
plant 'a call does not end the silence' peak_ewma/picker.rs 'chosen.kept.touch(now);' ''
plant 'calls in flight cost nothing' peak_ewma/estimate.rs 'as f64 + 1.0)' 'as f64 * 0.0 + 1.0)'
plant 'a peak is averaged' peak_ewma/estimate.rs 'self.raise(latency);' ''
plant 'a failure counts by its latency' peak_ewma/estimate.rs 'latency.max(self.tuning.failure_penalty.get())' 'latency'
plant 'a cancelled call is an answer' peak_ewma/estimate.rs 'Code::Cancelled => Self::GivenUp' 'Code::Cancelled => Self::Answered'
plant 'a wrong answer is a failure' peak_ewma/estimate.rs '| Code::DataLoss' '| Code::NotFound | Code::DataLoss'
plant 'silence counts as news' peak_ewma/estimate.rs 'tuning.left_after(silence)' '1.0'
plant 'a new connection inherits the estimate' peak_ewma/mod.rs 'Command::Connect(_) => kept.begin_anew(cx.now()),' ''
plant 'a new configuration is ignored' peak_ewma/mod.rs 'self.tuning(cx).set(config);' ''
plant 'weights are ignored' pick_first/addresses.rs 'f64::from(endpoint.weight().get())' '1.0'
plant 'the heaviest comes last' pick_first/addresses.rs 'a.total_cmp(b)' 'b.total_cmp(a)'
plant 'the attempt timer outlives the race' pick_first/race.rs 'self.phase = Phase::Off;
        self.stop_timer(cx);' 'self.phase = Phase::Off;'
plant 'losers of the race are not shut down' pick_first/race.rs '.filter(|entry| !winner.is_some_and(|id| entry.is(id)))' \
    '.filter(|_| winner.is_none())'
plant 'it reconnects without waiting for the backoff' pick_first/race.rs 'if state == Connectivity::Idle {
            cx.connect' 'if state != Connectivity::Connecting {
            cx.connect'
plant 'an address that is not listed any more keeps its subchannel' pick_first/race.rs 'for entry in &mut old {' \
    'for entry in old.iter_mut().take(0) {'
plant 'a failed attempt does not make room for the next' pick_first/race.rs \
    'if place + 1 == self.next { self.advance(cx) }' 'if false { self.advance(cx) }'
plant 'the attempt timer starts nothing' pick_first/race.rs 'self.timer = None;
        self.advance(cx)' 'self.timer = None;
        Turn::Nothing'
plant 'nobody reconnects after the first pass' pick_first/race.rs '(Phase::Retrying, Connectivity::Idle) => {
                entry.attempt(cx);' '(Phase::Retrying, Connectivity::Idle) => {'
plant 'a connection that came and went is forgotten' pick_first/race.rs \
    '(Phase::FirstPass, Connectivity::Idle) if before == Connectivity::Connecting => Turn::Lost(id),' ''
plant 'a new pass takes old failures for its own' pick_first/race.rs 'entry.failed = false;' 'let _ = &entry;'
plant 'a connection that ends while another is made leaves it as it is' pick_first/mod.rs \
    'SubchannelState::TransientFailure { .. } => self.start_over(cx)' 'SubchannelState::TransientFailure { .. } => {}'
plant 'health is ignored' pick_first/mod.rs 'if self.leaf { Connectivity::Connecting }' 'if self.leaf { Connectivity::Ready }'
plant 'a health watch outlives its connection' pick_first/mod.rs 'cx.unwatch(watch);' 'let _ = watch;'
plant 'sickness is not told' pick_first/mod.rs 'self.fail(cx, failure);
            }
        }' 'drop(failure);
            }
        }'
plant 'a wake is offered twice' pick_first/mod.rs 'self.withdraw(cx);
        if state == Connectivity::Idle' 'if state == Connectivity::Idle'
plant 'a wake does nothing' pick_first/mod.rs 'fn on_wake(&mut self, cx: &mut Cx<'"'"'_>, _: Wake) {
        self.exit_idle(cx);' 'fn on_wake(&mut self, _: &mut Cx<'"'"'_>, _: Wake) {'
plant 'a new list hides a failure' pick_first/mod.rs \
    'if self.state != Some(Connectivity::TransientFailure) || !connections_failed {' 'if true {'
plant 'a connection is kept whose address is gone' pick_first/mod.rs \
    'self.selected = self.selected.filter(|selected| self.race.address(selected.id).is_some());' ''
plant 'the pending policy never takes over' graceful_switch/mod.rs 'if self.pending.is_none() || waits {' 'if true {'
plant 'the old policy is not shut down' graceful_switch/mod.rs 'self.children.remove(cx, old.key);' 'let _ = old;'
plant 'the pending policy takes over too early' graceful_switch/mod.rs 'if self.pending.is_none() || waits {' \
    'if self.pending.is_none() {'
plant 'a picker is asked for without a report' graceful_switch/mod.rs 'if stale.contains(&hosted.key)' \
    'if !stale.is_empty()'
plant 'who is ejected is not told of below' outlier_detection/mod.rs 'self.children.tap_mut().age(is_over);
        self.tell(cx, &concerned);' 'self.children.tap_mut().age(is_over);'
plant 'an ejected endpoint hears that it serves' outlier_detection/book.rs \
    'let health = combined(self.truth.as_ref()?, ejection);' \
    'let health = combined(self.truth.as_ref()?, ejection.filter(|_| self.told.is_some()));'
plant 'health is lost while nobody is ejected' outlier_detection/book.rs 'heard.truth = Some(health.clone());' \
    'heard.truth.get_or_insert(health.clone());'
plant 'calls that fail count as good' outlier_detection/calls.rs 'if end.code == Code::Ok' 'if end.code <= Code::Unavailable'
plant 'calls count in every interval' outlier_detection/calls.rs 'self.failed.swap(0, Relaxed)' 'self.failed.load(Relaxed)'
plant 'the timer is not set again' outlier_detection/mod.rs 'timer: cx.arm(config.interval) });' \
    'timer: self.interval.map_or_else(|| cx.arm(config.interval), |interval| interval.timer) });'
plant 'the timer outlives the policy' outlier_detection/mod.rs 'if let Some(Interval { timer, .. }) = self.interval.take() {
            cx.cancel(timer);
        }
        self.children.clear' 'self.children.clear'
plant 'an update begins a new interval' outlier_detection/mod.rs 'before.map_or_else(|| cx.now(), |before| before.since)' 'cx.now()'
plant 'ejections end too late' outlier_detection/mod.rs '>= config.ejection_time(times)' '> config.ejection_time(times)'
plant 'each ejection is as long as the first' outlier_detection/config.rs 'saturating_mul(times)' 'saturating_mul(times.min(1))'
plant 'past ejections are never forgiven' outlier_detection/book.rs 'saturating_sub(1)' 'saturating_sub(0)'
plant 'one more is ejected than allowed' outlier_detection/mod.rs 'if ejected as u64 * 100 >= all * most' \
    'if ejected as u64 * 100 > all * most'
plant 'an endpoint is ejected again and again' outlier_detection/book.rs \
    '.get_mut(key).filter(|record| record.ejection.is_none())' '.get_mut(key)'
plant 'ejections outlive the algorithms' outlier_detection/mod.rs 'return self.children.tap_mut().pardon();' 'return;'
plant 'calls of a moved connection count for nobody' outlier_detection/book.rs 'self.settle(cx, *id);
        }' '}'
plant 'a moved connection belongs to the last endpoint' outlier_detection/book.rs 'list.iter().rev()' 'list.iter()'
plant 'a new connection is not observed' outlier_detection/book.rs 'self.subchannels.insert(*id, listed);
                self.settle(cx, *id);' 'self.subchannels.insert(*id, listed);'
plant 'an endpoint that stays begins anew' outlier_detection/book.rs 'known.map(|(_, record)| record)' \
    'known.map(|_| Record::default())'
plant 'a leaf does not hear of new addresses' petiole/mod.rs 'if !known {' 'if !known && self.state.is_none() {'
plant 'the new list does not reach the child' random_subsetting/mod.rs \
    'subset::chosen(&update.endpoints, self.size, seed).into()' \
    'subset::chosen(&update.endpoints, self.size, seed).into_iter().skip(1).collect()'
plant 'every update draws another subset' random_subsetting/mod.rs '*self.seed.get_or_insert_with(|| cx.random().word())' \
    'cx.random().word()'
plant 'all clients choose the same' random_subsetting/mod.rs '*self.seed.get_or_insert_with(|| cx.random().word())' \
    '*self.seed.get_or_insert(7)'
plant 'who is listed twice counts twice' random_subsetting/subset.rs '&& seen.insert(e.key())' \
    '&& (seen.insert(e.key()) || true)'
plant 'a fired timer is not forgotten' child/mod.rs 'if matches!(token, Token::Timer(_)) {' 'if false {'
plant 'watches outlive their subchannel' child/mod.rs 'while let Some((watch, _)) = self.owners.range(watches.clone()).next() {' \
    'if let Some((watch, _)) = self.owners.range(watches.clone()).next().filter(|_| false) {'
plant 'the commands of a picker belong to nobody' child/mod.rs 'self.pass_on(cx, key, mark);
        Some((result, theirs))' 'if theirs.is_some() { self.pass_on(cx, key, mark); }
        Some((result, theirs))'
plant 'a target that left READY keeps its share' weighted_target/mod.rs 'self.ready.set(seat.place, ready);' \
    'if ready.is_some() { self.ready.set(seat.place, ready); }'
plant 'a new weight does not count' weighted_target/mod.rs 'or_insert_with(new).weight = weight;' 'or_insert_with(new);'
plant 'a target that is gone still counts' weighted_target/mod.rs 'self.leave(seat.counted);' 'let _ = seat;'
plant 'a failed target counts as connecting' weighted_target/mod.rs 'if (seat.counted, report.to) == (Connectivity::TransientFailure, Connectivity::Connecting) {' \
    'if false {'
plant 'an idle target is left alone' weighted_target/mod.rs 'if report.to == Connectivity::Idle
' 'if false
'
plant 'the picker of a target is never renewed' weighted_target/mod.rs 'seat.picker = picker;' 'let _ = picker;'
plant 'targets keep the places they had' weighted_target/mod.rs 'seat.place = place;' 'let _ = place;'
plant 'half of the weights are forgotten' weighted_target/lottery.rs '*tickets = first.tickets() + rest.tickets();' \
    '*tickets = first.tickets();'
plant 'the lighter half always wins' weighted_target/lottery.rs 'if ticket < first.tickets() => node = first,' \
    'if ticket >= first.tickets() => node = first,'
plant 'a path is not walked' hierarchy/mod.rs 'passed: self.passed + 1' 'passed: self.passed'
plant 'a lower priority is not deactivated' priority/mod.rs 'self.deactivate(cx, &config.priorities()[place + 1..]);' ''
plant 'a priority that is needed again is removed all the same' priority/mod.rs 'member.reactivate(cx)' '{ let _ = &member; }'
plant 'nobody waits for a priority that connects' priority/mod.rs 'if self.members.get(&key).is_some_and(Member::may_still_connect) {' \
    'if false {'
plant 'an idle priority is passed over' priority/mod.rs 'Some(Connectivity::Ready | Connectivity::Idle)' 'Some(Connectivity::Ready)'
plant 'the last priority speaks although another connects' priority/mod.rs 'tried.iter().find(connecting).or_else(|| tried.last())' \
    'tried.last().filter(|key| connecting(key) || true)'
plant 'a priority that the configuration drops stays' priority/mod.rs 'self.names = kept;
        for key in BTreeMap::into_values(gone) {' 'self.names = kept;
        for key in BTreeMap::into_values(gone).take(0) {'
plant 'news of the priority in use are kept back' priority/mod.rs 'self.settle(cx, self.current == Some(report.child));' \
    'self.settle(cx, false);'
plant 'every wish for a resolution counts' child/mod.rs 'if matches!(command, Command::Resolve) && !self.tap.lets_resolve(key) {' 'if false {'
plant 'the failover timer outlives the attempt' priority/member.rs 'cancel(cx, &mut self.failover);
            }' '}'
plant 'a priority that failed lately gets time again' priority/member.rs 'if begins && !self.has_failed' 'if begins'
plant 'a failure is remembered for ever' priority/member.rs 'self.has_failed = to == Connectivity::TransientFailure;' \
    'self.has_failed |= to == Connectivity::TransientFailure;'
plant 'a removed priority keeps its timers' priority/mod.rs 'member.leave(cx);
        }
    }' 'drop(member);
        }
    }'
plant 'a place at the end of a word is passed over' ring_hash/places/mod.rs '& (!0 << (at % BITS))' '& (!1 << (at % BITS))'
plant 'an empty word is not told upwards' ring_hash/places/mod.rs 'if before != 0 && after != 0 {' 'if before != 0 {'
plant 'the ring does not go round' ring_hash/places/mod.rs '.or_else(|| self.at_or_behind(0))' ''
plant 'the number of a place is not hashed' ring_hash/ring/mod.rs '"{number}"' '"{}", number * 2'
plant 'weights do not count' ring_hash/ring/mod.rs 'wanted += scale * share(*weight);' 'wanted += scale / recipe.owners.len() as f64;'
plant 'a hash beyond the last place has no owner' ring_hash/ring/mod.rs 'if place < self.hashes.len() { place } else { 0 }' \
    'place'
plant 'an idle endpoint is not woken by its call' ring_hash/picker.rs 'args.wake(*wake);' 'let _ = wake;'
plant 'a call goes on to those that are READY' ring_hash/picker.rs 'match self.states.hopeful.next(first) {' \
    'match self.states.ready.next(first).or_else(|| self.states.hopeful.next(first)) {'
plant 'a failed endpoint keeps its calls' ring_hash/picker.rs 'self.hopeful.put(place, state != Connectivity::TransientFailure);' \
    'self.hopeful.put(place, true);'
plant 'each call without a hash wakes an endpoint' ring_hash/picker.rs 'if self.connecting { None } else' 'if false { None } else'
plant 'a call without a hash wakes an endpoint behind the one it uses' ring_hash/picker.rs 'behind(*idle) < behind(ready)' \
    'behind(*idle) != behind(ready)'
plant 'the values of a header run together' ring_hash/picker.rs 'hasher.write(b",");' ''
plant 'an empty header counts' ring_hash/picker.rs '(values > 1 || bytes > 0)' '(values > 0)'
plant 'one failure is TRANSIENT_FAILURE' ring_hash/mod.rs '} else if failed > 1 {' '} else if failed > 0 {'
plant 'after one failure it is IDLE' ring_hash/mod.rs '|| (failed == 1 && self.seated > 1)' ''
plant 'nobody connects when all that did have failed' ring_hash/mod.rs 'if wanting && self.children' 'if false && self.children'
plant 'an endpoint that connects does not count' ring_hash/mod.rs 'if wanting && self.children.count(Connectivity::Connecting) == 0 {' \
    'if wanting {'
plant 'an endpoint that is on its way is roused again' ring_hash/mod.rs 'if self.state(number) == Connectivity::Idle {' 'if true {'
plant 'nobody can wake it from outside' ring_hash/mod.rs 'if !self.seats.is_empty() && self.aggregate() == Connectivity::Idle {' \
    'if false {'
plant 'a new ring keeps the old marks' ring_hash/mod.rs '(0..self.seats.len()).for_each(|number| self.show_state(number));' ''
plant 'a new ring keeps the old faces' ring_hash/mod.rs 'self.renumbered = true;' ''
plant 'the ring is not made anew' ring_hash/mod.rs 'if recipe != *self.ring.recipe() {' \
    'if recipe != *self.ring.recipe() && self.ring.len() == 0 {'
plant 'an endpoint that goes keeps its leaf' ring_hash/mod.rs 'gone.vacate(cx, &mut self.children);' 'let _ = &mut gone;'
plant 'an endpoint without a place keeps its leaf' ring_hash/mod.rs 'if self.ring.places(number).is_empty() {' \
    'if self.ring.places(number).is_empty() && seat.child.is_none() {'
plant 'a twin does not add its weight' ring_hash/seat.rs 'self.weight += u64::from(twin.weight().get());' 'let _ = twin;'
plant 'a leaf does not hear of new addresses' ring_hash/seat.rs 'seat.give(cx, children);
        seat' 'seat'
exit $missed
