package worker

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
)

// The server copies transitions into the event log by their sequences in RINGLINE_CALLS. When RINGLINE_CALLS comes back without
// its newest messages, as after a power cut, their sequences are given again, and the server takes what has them for copied.
// It goes on only at the sequence after the last that it copied.

// RepairedKey is where the metadata of RINGLINE_EVENTS tell of its last repair.
const RepairedKey = "ringline.repaired"

// Copied is the sequence in RINGLINE_CALLS of the newest copy in the event log; 0 if there is none since its last repair.
func Copied(ctx context.Context, log jetstream.Stream) (uint64, error) {
	last := log.CachedInfo().State.LastSeq
	if last <= repairedAfter(log) {
		return 0, nil
	}
	m, err := log.GetMsg(ctx, last)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("worker: read the newest event: %w", err)
	}
	return copyOf(m.Header.Get(headerSource)), nil
}

// repairedAfter is the sequence of the newest event when the log was last repaired: up to that one, copies say nothing of where the
// server goes on.
func repairedAfter(log jetstream.Stream) (seq uint64) {
	_, after, _ := strings.Cut(log.CachedInfo().Config.Metadata[RepairedKey], afterEvent)
	digits, _, _ := strings.Cut(after, " ")
	seq, _ = strconv.ParseUint(digits, 10, 64) // else there was none
	return seq
}

const afterEvent = "after event "

// headerSource is the server's: "<stream> <sequence> …".
const headerSource = "Nats-Stream-Source"

func copyOf(header string) uint64 {
	stream, rest, _ := strings.Cut(header, " ")
	digits, _, _ := strings.Cut(rest, " ")
	seq, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || stream != StreamCalls {
		return 0
	}
	return seq
}

// Gap is what the event log lacks of RINGLINE_CALLS.
type Gap struct {
	Missing uint64 // transitions that it lacks now
	Coming  uint64 // of those that will be written next it will lack as many
	From    uint64 // the sequence in RINGLINE_CALLS from which to copy again; 0: the log is whole
}

// heads are the streams, the newest copy, and how far RINGLINE_CALLS goes.
type heads struct {
	log, calls   jetstream.Stream
	copied, last uint64
}

func readHeads(ctx context.Context, js jetstream.JetStream) (h heads, err error) {
	if h.log, err = js.Stream(ctx, StreamEvents); err != nil {
		return h, fmt.Errorf("worker: look at the event log: %w", err)
	}
	if h.copied, err = Copied(ctx, h.log); err != nil {
		return h, err
	}
	if h.calls, err = js.Stream(ctx, StreamCalls); err != nil { // after the log, which is never ahead of it
		return h, fmt.Errorf("worker: look at %s: %w", StreamCalls, err)
	}
	h.last = h.calls.CachedInfo().State.LastSeq
	return h, nil
}

// coming is how many transitions the server will take for copied.
func (h heads) coming() uint64 { return h.copied - min(h.copied, h.last) }

// CompareEvents reads both streams, as far as both go back, and finds what the event log lacks. Its time depends on how much
// they hold, so it ends only if a read stalls.
func CompareEvents(ctx context.Context, js jetstream.JetStream) (Gap, error) {
	h, err := readHeads(ctx, js)
	if err != nil {
		return Gap{}, err
	}
	const leadersDiffer = time.Hour // in their clocks, at most
	since := h.calls.CachedInfo().State.FirstTime.Add(-leadersDiffer)
	return h.compare(ctx,
		jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since},
		jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy})
}

// CompareNewestEvents does the same with the newest events only, so many at most, and the newest transitions.
func CompareNewestEvents(ctx context.Context, js jetstream.JetStream, most uint64) (g Gap, all bool, err error) {
	h, err := readHeads(ctx, js)
	if err != nil {
		return Gap{}, false, err
	}
	transitions := 2 * most // so the transition of the first event is one of them, most often
	g, err = h.compare(ctx, newestOf(h.log, most), newestOf(h.calls, transitions))
	return g, h.log.CachedInfo().State.Msgs <= most && h.calls.CachedInfo().State.Msgs <= transitions, err
}

// newestOf reads so many messages, at most.
func newestOf(st jetstream.Stream, most uint64) jetstream.OrderedConsumerConfig {
	state := st.CachedInfo().State
	if state.LastSeq < most || state.LastSeq-most < state.FirstSeq {
		return jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy}
	}
	return jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: state.LastSeq - most + 1}
}

// compare reads the log from somewhere on, and then RINGLINE_CALLS. Of what the log no longer holds, or what was not read of it,
// nothing is missing: that is all before the transition whose copy was read first. Where that transition is gone, its time decides.
func (h heads) compare(ctx context.Context, fromLog, fromCalls jetstream.OrderedConsumerConfig) (Gap, error) {
	coming := Gap{Coming: h.coming()}
	if coming.Coming > 0 {
		coming.From = h.last + 1
	}
	seed, there := maphash.MakeSeed(), map[uint64]struct{}{}
	var first struct {
		hash uint64
		at   time.Time
		seen bool // in RINGLINE_CALLS
	}
	err := readAll(ctx, h.log, fromLog, func(m jetstream.Msg, meta *jetstream.MsgMetadata) {
		hash := maphash.Bytes(seed, m.Data())
		if len(there) == 0 {
			first.hash, first.at = hash, meta.Timestamp
		}
		there[hash] = struct{}{}
	})
	if err != nil || len(there) == 0 {
		return coming, err
	}
	g := coming
	err = readAll(ctx, h.calls, fromCalls, func(m jetstream.Msg, meta *jetstream.MsgMetadata) {
		hash := maphash.Bytes(seed, m.Data())
		if hash == first.hash {
			g, first.seen = coming, true
		}
		old := !first.seen && meta.Timestamp.Before(first.at)
		if _, ok := there[hash]; ok || old || meta.Sequence.Stream > h.copied {
			return
		}
		if g.Missing++; g.Missing == 1 {
			g.From = meta.Sequence.Stream
		}
	})
	return g, err
}

// readWithin is how long a read may give nothing.
const readWithin = 5 * time.Second

// readAll reads a stream up to the message that is its newest now, or fails.
func readAll(
	ctx context.Context, st jetstream.Stream, from jetstream.OrderedConsumerConfig, do func(m jetstream.Msg, meta *jetstream.MsgMetadata),
) error {
	fail := func(err error) error { return fmt.Errorf("worker: read %s: %w", st.CachedInfo().Config.Name, err) }
	cons, err := st.OrderedConsumer(ctx, from)
	if err != nil {
		return fail(err)
	}
	if cons.CachedInfo().NumPending == 0 {
		return nil
	}
	const most = 1000
	for last := st.CachedInfo().State.LastSeq; ; {
		batch, err := cons.Fetch(most, jetstream.FetchMaxWait(readWithin))
		if err != nil {
			return fail(err)
		}
		read := 0
		for m := range batch.Messages() {
			meta, err := m.Metadata()
			if err != nil {
				return fail(err)
			}
			read++
			do(m, meta)
			if meta.Sequence.Stream >= last || meta.NumPending == 0 {
				return nil
			}
		}
		if err := errors.Join(batch.Error(), ctx.Err()); err != nil {
			return fail(err)
		}
		if read == 0 {
			return fail(fmt.Errorf("the server gave nothing for %v", readWithin))
		}
	}
}

// RepairEvents has the server copy RINGLINE_CALLS anew from the gap on, and waits until that is done, or nothing is copied for
// that long. Nothing is deleted. What was copied since the gap comes twice, with the same ids. The server forgets how far it was
// only of a source that it does not know, so the source gets another spelling of its transform.
func RepairEvents(ctx context.Context, js jetstream.JetStream, g Gap, stalled time.Duration) error {
	h, err := readHeads(ctx, js)
	if err != nil {
		return err
	}
	after := h.log.CachedInfo().State.LastSeq
	err = noteRepair(ctx, js, h.log, fmt.Sprintf("from %d %s%d", g.From, afterEvent, after), func(source *jetstream.StreamSource) {
		source.OptStartSeq = g.From
		source.SubjectTransforms = slices.Clone(source.SubjectTransforms)
		source.SubjectTransforms[0].Destination = respelled(source.SubjectTransforms[0].Destination)
	})
	if err != nil {
		return fmt.Errorf("worker: copy %s anew from %d: %w", StreamCalls, g.From, err)
	}
	if h.last < g.From {
		return nil
	}
	return h.awaitCopies(ctx, js, stalled)
}

// NoteWhole notes that nothing is missing, so that workers which know of a gap that is over report it no longer.
func NoteWhole(ctx context.Context, js jetstream.JetStream) error {
	log, err := js.Stream(ctx, StreamEvents)
	if err == nil {
		err = noteRepair(ctx, js, log, fmt.Sprintf("nothing %s%d", afterEvent, repairedAfter(log)), func(*jetstream.StreamSource) {})
	}
	if err != nil {
		return fmt.Errorf("worker: note that the event log is whole: %w", err)
	}
	return nil
}

// noteRepair changes the source of the event log, and notes in its metadata what was done.
func noteRepair(ctx context.Context, js jetstream.JetStream, log jetstream.Stream, what string, change func(*jetstream.StreamSource)) error {
	c := log.CachedInfo().Config
	if !sameSources(c.Sources, eventSources()) {
		return fmt.Errorf("the source of %s is not as setup makes it; run setup first", StreamEvents)
	}
	source := *c.Sources[0]
	change(&source)
	c.Sources = []*jetstream.StreamSource{&source}
	c.Metadata = chosen(c.Metadata)
	c.Metadata[RepairedKey] = what + " at " + time.Now().UTC().Format(time.RFC3339Nano)
	c, err := madeStream(c)
	if err == nil {
		_, err = js.UpdateStream(ctx, c)
	}
	return err
}

// awaitCopies waits until the log holds copies of what was there before.
func (h heads) awaitCopies(ctx context.Context, js jetstream.JetStream, stalled time.Duration) error {
	const again = 200 * time.Millisecond
	before := h.log.CachedInfo().State.LastSeq
	for last, since := before, time.Now(); ; {
		now, err := readHeads(ctx, js)
		if err == nil {
			newest := now.log.CachedInfo().State.LastSeq
			if now.copied >= h.last && now.copied <= now.last && newest > before {
				return nil
			}
			if newest > last {
				last, since = newest, time.Now()
			}
		}
		if time.Since(since) > stalled {
			return errors.Join(err, fmt.Errorf("worker: the server has copied nothing for %v, %d transitions in all: it goes on once it can, or repeat this",
				stalled, last-before))
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(again):
		}
	}
}

// eventSources is the source of the event log as setup makes it.
func eventSources() []*jetstream.StreamSource {
	return []*jetstream.StreamSource{{
		Name: StreamCalls,
		SubjectTransforms: []jetstream.SubjectTransformConfig{{
			Source: events.TransitionSubjects, Destination: events.EventsTransform,
		}},
	}}
}

// respelled spells the transform of a source in a way that it was not spelled before, and that means the same.
func respelled(destination string) string {
	return strings.Replace(destination, beforeIndex, beforeIndex+"0", 1)
}

const beforeIndex = "wildcard("

// sameSources says whether these are the sources that are wanted, whatever repairs have made of them.
func sameSources(found, wanted []*jetstream.StreamSource) bool {
	return slices.EqualFunc(found, wanted, func(f, w *jetstream.StreamSource) bool {
		return f.Name == w.Name && f.FilterSubject == w.FilterSubject && f.External == nil && f.Domain == "" && f.OptStartTime == nil &&
			slices.EqualFunc(f.SubjectTransforms, w.SubjectTransforms, func(f, w jetstream.SubjectTransformConfig) bool {
				return f.Source == w.Source && spelledFirst(f.Destination) == w.Destination
			})
	})
}

// spelledFirst undoes all of respelled.
func spelledFirst(destination string) string {
	before, after, _ := strings.Cut(destination, beforeIndex)
	return before + beforeIndex + strings.TrimLeft(after, "0")
}

// keepRepaired leaves the source of the event log as a repair made it.
func keepRepaired(found, wanted jetstream.StreamConfig) jetstream.StreamConfig {
	if wanted.Name != StreamEvents || !sameSources(found.Sources, wanted.Sources) {
		return wanted
	}
	wanted.Sources = found.Sources
	if r, ok := found.Metadata[RepairedKey]; ok {
		wanted.Metadata = map[string]string{RepairedKey: r}
	}
	return wanted
}
