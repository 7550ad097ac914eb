package streams

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

// The server copies transitions into the event log by their sequences in RINGLINE_CALLS. After a power cut, for example,
// RINGLINE_CALLS may have lost its newest messages, and their sequences are assigned again. The server regards those sequences
// as already copied. It continues only after the last sequence that it copied.

// RepairedKey is the metadata key of RINGLINE_EVENTS that describes its last repair.
const RepairedKey = "ringline.repaired"

// Copied returns the sequence in RINGLINE_CALLS of the newest copy in the event log. It returns 0 if there is none since the
// last repair.
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
		return 0, fmt.Errorf("streams: read the newest event: %w", err)
	}
	return copyOf(m.Header.Get(headerSource)), nil
}

// repairedAfter returns the sequence of the newest event at the time of the last repair. Copies up to that one don't tell where
// the server continues.
func repairedAfter(log jetstream.Stream) (seq uint64) {
	_, after, _ := strings.Cut(log.CachedInfo().Config.Metadata[RepairedKey], afterEvent)
	digits, _, _ := strings.Cut(after, " ")
	seq, _ = strconv.ParseUint(digits, 10, 64) // an error means no repair: 0
	return seq
}

const afterEvent = "after event "

// headerSource is set by the server: "<stream> <sequence> …".
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

// Gap describes the transitions in RINGLINE_CALLS that the event log lacks.
type Gap struct {
	Missing uint64 // number of transitions that are missing now
	Coming  uint64 // number of future transitions that the server will not copy
	From    uint64 // the sequence in RINGLINE_CALLS from which to copy again; 0 if nothing is missing
}

// heads holds both streams, the sequence of the newest copy, and the last sequence of RINGLINE_CALLS.
type heads struct {
	log, calls   jetstream.Stream
	copied, last uint64
}

func readHeads(ctx context.Context, js jetstream.JetStream) (h heads, err error) {
	if h.log, err = js.Stream(ctx, StreamEvents); err != nil {
		return h, fmt.Errorf("streams: look at the event log: %w", err)
	}
	if h.copied, err = Copied(ctx, h.log); err != nil {
		return h, err
	}
	if h.calls, err = js.Stream(ctx, StreamCalls); err != nil { // read after the log, which is never ahead of it
		return h, fmt.Errorf("streams: look at %s: %w", StreamCalls, err)
	}
	h.last = h.calls.CachedInfo().State.LastSeq
	return h, nil
}

// coming returns the number of future transitions that the server regards as already copied.
func (h heads) coming() uint64 { return h.copied - min(h.copied, h.last) }

// CompareEvents reads both streams, as far back as both go, and finds what the event log lacks. Its duration depends on their
// size, so it has no total timeout. It fails if a read stalls.
func CompareEvents(ctx context.Context, js jetstream.JetStream) (Gap, error) {
	h, err := readHeads(ctx, js)
	if err != nil {
		return Gap{}, err
	}
	const leadersDiffer = time.Hour // upper bound of the difference between the leaders' clocks
	since := h.calls.CachedInfo().State.FirstTime.Add(-leadersDiffer)
	return h.compare(ctx,
		jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since},
		jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy})
}

// CompareNewestEvents is CompareEvents for the newest events, at most the given number, and the newest transitions. It also
// reports whether that covers both streams completely.
func CompareNewestEvents(ctx context.Context, js jetstream.JetStream, most uint64) (g Gap, all bool, err error) {
	h, err := readHeads(ctx, js)
	if err != nil {
		return Gap{}, false, err
	}
	transitions := 2 * most // this usually includes the transition of the first event
	g, err = h.compare(ctx, newestOf(h.log, most), newestOf(h.calls, transitions))
	return g, h.log.CachedInfo().State.Msgs <= most && h.calls.CachedInfo().State.Msgs <= transitions, err
}

// newestOf configures a consumer that reads at most that many of the newest messages.
func newestOf(st jetstream.Stream, most uint64) jetstream.OrderedConsumerConfig {
	state := st.CachedInfo().State
	if state.LastSeq < most || state.LastSeq-most < state.FirstSeq {
		return jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy}
	}
	return jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: state.LastSeq - most + 1}
}

// compare reads the log from the given position, and then RINGLINE_CALLS. Transitions that precede the first event read don't
// count as missing: the log has dropped their copies, or they were not read. If RINGLINE_CALLS no longer holds the transition
// of that first event, the timestamps decide.
func (h heads) compare(ctx context.Context, fromLog, fromCalls jetstream.OrderedConsumerConfig) (Gap, error) {
	coming := Gap{Coming: h.coming()}
	if coming.Coming > 0 {
		coming.From = h.last + 1
	}
	seed, there := maphash.MakeSeed(), map[uint64]struct{}{}
	var first struct {
		hash uint64
		at   time.Time
		seen bool // found in RINGLINE_CALLS
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

// readWithin is how long a read may wait for the next messages.
const readWithin = 5 * time.Second

// readAll reads a stream up to its newest message at the start of the read, or fails.
func readAll(
	ctx context.Context, st jetstream.Stream, from jetstream.OrderedConsumerConfig, do func(m jetstream.Msg, meta *jetstream.MsgMetadata),
) error {
	fail := func(err error) error { return fmt.Errorf("streams: read %s: %w", st.CachedInfo().Config.Name, err) }
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
			return fail(fmt.Errorf("the server sent nothing for %v", readWithin))
		}
	}
}

// RepairEvents makes the server copy RINGLINE_CALLS again, starting at the gap. It waits until the copies are complete, or
// until nothing is copied for the duration stalled. It deletes nothing. Transitions after the gap that were already copied
// appear twice, with the same ids. The server restarts at the given sequence only for a source that it does not know, so
// RepairEvents changes the spelling of the source's subject transform.
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
		return fmt.Errorf("streams: copy %s again from %d: %w", StreamCalls, g.From, err)
	}
	if h.last < g.From {
		return nil
	}
	return h.awaitCopies(ctx, js, stalled)
}

// NoteWhole records that nothing is missing. Workers that report an earlier gap then stop reporting it.
func NoteWhole(ctx context.Context, js jetstream.JetStream) error {
	log, err := js.Stream(ctx, StreamEvents)
	if err == nil {
		err = noteRepair(ctx, js, log, fmt.Sprintf("nothing %s%d", afterEvent, repairedAfter(log)), func(*jetstream.StreamSource) {})
	}
	if err != nil {
		return fmt.Errorf("streams: note that the event log is whole: %w", err)
	}
	return nil
}

// noteRepair changes the source of the event log and records the repair in its metadata.
func noteRepair(ctx context.Context, js jetstream.JetStream, log jetstream.Stream, what string, change func(*jetstream.StreamSource)) error {
	c := log.CachedInfo().Config
	if !sameSources(c.Sources, eventSources()) {
		return fmt.Errorf("the source of %s differs from that of setup; run setup first", StreamEvents)
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

// awaitCopies waits until the log holds copies of all transitions that h saw.
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
			return errors.Join(err, fmt.Errorf("streams: the server has copied nothing for %v, %d transitions in all: it goes on once it can, or repeat this",
				stalled, last-before))
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(again):
		}
	}
}

// eventSources returns the source of the event log as setup configures it.
func eventSources() []*jetstream.StreamSource {
	return []*jetstream.StreamSource{{
		Name: StreamCalls,
		SubjectTransforms: []jetstream.SubjectTransformConfig{{
			Source: events.TransitionSubjects, Destination: events.EventsTransform,
		}},
	}}
}

// respelled returns a new spelling of a subject transform with the same meaning.
func respelled(destination string) string {
	return strings.Replace(destination, beforeIndex, beforeIndex+"0", 1)
}

const beforeIndex = "wildcard("

// sameSources reports whether the sources match the wanted ones. It ignores the changes of repairs.
func sameSources(found, wanted []*jetstream.StreamSource) bool {
	return slices.EqualFunc(found, wanted, func(f, w *jetstream.StreamSource) bool {
		return f.Name == w.Name && f.FilterSubject == w.FilterSubject && f.External == nil && f.Domain == "" && f.OptStartTime == nil &&
			slices.EqualFunc(f.SubjectTransforms, w.SubjectTransforms, func(f, w jetstream.SubjectTransformConfig) bool {
				return f.Source == w.Source && spelledFirst(f.Destination) == w.Destination
			})
	})
}

// spelledFirst undoes every respelled.
func spelledFirst(destination string) string {
	before, after, _ := strings.Cut(destination, beforeIndex)
	return before + beforeIndex + strings.TrimLeft(after, "0")
}

// keepRepaired keeps the event log's source as the last repair set it.
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
