package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/cmd/internal/natsconn"
	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/streams"
)

// setup creates the streams, buckets and consumers that the workers need.
type setup struct {
	settings settings.Settings
	log      zerolog.Logger
	out      io.Writer

	natsURL string
	check   bool
	fewer   bool
	drop    bool
	repair  bool
	wait    time.Duration
}

// NewSetup is the command that creates or updates streams, buckets and consumers.
func NewSetup() *cobra.Command {
	var u setup
	cmd := &cobra.Command{
		Use: "setup", GroupID: cli.GroupServe, Short: "Create or update the streams, buckets and consumers in NATS",
		Long: "Creates the streams, buckets and consumers that the workers need, and updates existing ones to the settings.\n" +
			"You may repeat it at any time, even while workers run. With --check it changes nothing, reports what it would\n" +
			"change, and fails if there are differences.",
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, log, err := settings.ReadForService(cmd)
			if err != nil {
				return err
			}
			if err := s.CheckTimers(); err != nil && !u.repair { // a repair sets no limits
				return err
			}
			u.settings, u.log, u.out = s, log, cmd.OutOrStdout()
			if u.natsURL, err = s.NATSServers(cmd); err != nil {
				return err
			}
			return u.run(cmd.Context())
		},
	}
	settings.AddNATSFlag(cmd)
	cmd.Flags().BoolVar(&u.check, "check", false, "change nothing, only report differences, and exit with 1 if there are any")
	cmd.Flags().BoolVar(&u.fewer, "fewer-replicas", false, "allow a lower RINGLINE_REPLICAS to remove replicas")
	cmd.Flags().BoolVar(&u.drop, "drop-oldest", false, "allow lower limits to delete the oldest messages")
	cmd.Flags().BoolVar(&u.repair, "repair-events", false, "find the transitions that RINGLINE_EVENTS lacks, and copy them; with --check only find them")
	cmd.Flags().DurationVar(&u.wait, "wait", 30*time.Second, "how long to wait for NATS")
	return cmd
}

func (u *setup) run(ctx context.Context) error {
	conn, err := u.connect()
	if err != nil {
		return err
	}
	defer func() { _ = conn.DrainAndWait(context.WithoutCancel(ctx)) }() // nothing is left to send
	waiting, stop := context.WithTimeout(ctx, u.wait)
	defer stop()
	err = conn.Await(waiting)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no NATS server at %s within %v", settings.WithoutSecrets(u.natsURL), u.wait)
	}
	if err != nil {
		return err
	}
	js := conn.JS
	before, err := u.inspect(waiting, js)
	if err != nil {
		return err
	}
	if u.repair { // it creates nothing, so it needs no space; each step has its own timeout
		return u.repairEvents(ctx, js)
	}
	if err := u.checkRoom(waiting, js); err != nil {
		return err
	}
	if u.check {
		return errors.Join(u.report(before), u.checkEvents(ctx, js))
	}
	if err := checkReplicas(before); err != nil && !u.fewer {
		return err
	}
	if err := checkDropped(before, u.drop); err != nil {
		return err
	}
	if err := u.apply(ctx, js, before); err != nil {
		return err
	}
	if err := u.checkEvents(ctx, js); err != nil { // workers can start regardless
		_, err = fmt.Fprintln(u.out, err)
		return err
	}
	return nil
}

// connect opens a connection that logs for how long setup waits for NATS.
func (u *setup) connect() (*natsconn.Conn, error) {
	credentials, _ := u.settings.Credentials() // an error would have been reported with the other settings
	until := fmt.Sprintf(" until %s (--wait %v)", time.Now().Add(u.wait).Format(time.TimeOnly), u.wait)
	log := natsconn.NewLog(u.log.With().Str("component", string(meter.NATS)).Logger(), u.natsURL, until)
	options := slices.Concat(credentials, log.Options(), []nats.Option{nats.CustomInboxPrefix(u.settings.InboxPrefix)})
	conn, err := natsconn.Connect(u.natsURL, "ringline setup", options...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	conn.Credentials = u.settings.CredentialsSource()
	return conn, nil
}

// checkReplicas rejects settings that would reduce the replicas of an existing stream or bucket. RINGLINE_REPLICAS may
// be unset by mistake.
func checkReplicas(before []streams.Part) error {
	for _, p := range before {
		for _, d := range p.Differences {
			wanted, err1 := strconv.Atoi(d.Wanted)
			found, err2 := strconv.Atoi(d.Found)
			if p.Kind != streams.KindConsumer && d.Field == "num_replicas" && errors.Join(err1, err2) == nil && wanted < found {
				return fmt.Errorf("RINGLINE_REPLICAS is %d, but %s %s has %d; --fewer-replicas removes them", wanted, p.Kind, p.Name, found)
			}
		}
	}
	return nil
}

// How many events checkEvents compares, and for how long.
const (
	newestEvents = 20_000
	checkWithin  = 10 * time.Second
)

// checkEvents finds which of the newest transitions are missing from the event log.
func (u *setup) checkEvents(ctx context.Context, js jetstream.JetStream) error {
	ctx, stop := context.WithTimeout(ctx, checkWithin)
	defer stop()
	gap, all, err := streams.CompareNewestEvents(ctx, js, newestEvents)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return nil // already reported
	case err != nil:
		return fmt.Errorf("could not check whether RINGLINE_EVENTS is complete: %w", err)
	case gap.From > 0:
		return fmt.Errorf("%s; `ringline setup --repair-events` copies them", lacks(gap))
	case !all && u.check:
		_, err = fmt.Fprintf(u.out, "RINGLINE_EVENTS: its newest %d events are complete; `ringline setup --check --repair-events` compares all\n", newestEvents)
	}
	return err
}

func lacks(gap streams.Gap) string {
	text := fmt.Sprintf("RINGLINE_EVENTS lacks %d transitions, and %d of those to come", gap.Missing, gap.Coming)
	if gap.Coming > 0 {
		text += ": RINGLINE_CALLS lost its newest messages, or was recreated"
	}
	return text
}

// repairEvents finds the transitions that are missing from the event log. Unless --check is set, it has them copied.
func (u *setup) repairEvents(ctx context.Context, js jetstream.JetStream) error {
	gap, err := streams.CompareEvents(ctx, js)
	if err != nil {
		return err
	}
	found := lacks(gap)
	switch {
	case gap.From == 0:
		if !u.check {
			err = streams.NoteWhole(ctx, js)
		}
		found = "RINGLINE_EVENTS has every transition of RINGLINE_CALLS, as far as both go back"
	case u.check:
		return errors.New(found)
	default:
		err = streams.RepairEvents(ctx, js, gap, u.wait)
		found += fmt.Sprintf("; copied again from sequence %d of RINGLINE_CALLS", gap.From)
	}
	if err == nil {
		_, err = fmt.Fprintln(u.out, found)
	}
	return err
}

// checkDropped rejects limits that would delete stored messages. The flag --drop-oldest allows that, except for
// deadlines.
func checkDropped(before []streams.Part, drop bool) error {
	for _, p := range before {
		if p.TooMuch == 0 || drop && p.Name != streams.StreamTimers {
			continue
		}
		text := fmt.Sprintf("%s holds %v, and its oldest %v would be deleted: raise %s_MAX_BYTES",
			p.Name, settings.ByteSize(p.Bytes).Rounded(), settings.ByteSize(p.TooMuch).Rounded(), p.Name)
		if p.Name == streams.StreamTimers {
			return errors.New(text + "; they are deadlines of calls")
		}
		return errors.New(text + ", or allow it with --drop-oldest")
	}
	return nil
}

// checkRoom rejects limits whose total exceeds the storage of the account.
func (u *setup) checkRoom(ctx context.Context, js jetstream.JetStream) error {
	err := retryWhileStarting(ctx, func(ctx context.Context) error { return streams.CheckRoom(ctx, js, u.settings.Streams()) })
	no, noRoom := errors.AsType[*streams.NoRoomError](err)
	if !noRoom {
		return err
	}
	times, others := "", ""
	if no.Replicas > 1 {
		times = fmt.Sprintf(" on each of %d nodes", no.Replicas)
	}
	if no.Others > 0 {
		others = fmt.Sprintf(", and other streams have reserved %v", settings.ByteSize(no.Others).Rounded())
	}
	return fmt.Errorf("the RINGLINE_…_MAX_BYTES add up to %v%s%s: that is %v more than the account of NATS may store (%v); raise its limit (NATS_MAX_ACCOUNT of deploy/nats/nats.conf) or lower them",
		settings.ByteSize(no.Total).Rounded(), times, others, settings.ByteSize(no.TooMuch()).Rounded(), settings.ByteSize(no.Limit).Rounded())
}

func (u *setup) inspect(ctx context.Context, js jetstream.JetStream) (parts []streams.Part, err error) {
	err = retryWhileStarting(ctx, func(ctx context.Context) (err error) {
		parts, err = streams.Inspect(ctx, js, u.settings.Streams())
		return err
	})
	return parts, err
}

// retryWhileStarting retries while JetStream starts, until ctx ends. It prefers the error of an earlier try to a
// timeout: the last try may end before the server answers.
func retryWhileStarting(ctx context.Context, try func(context.Context) error) error {
	for cause := error(nil); ; {
		once, stop := context.WithTimeout(ctx, 5*time.Second) // without a leader no server may answer
		err := try(once)
		stop()
		if err == nil || !starting(err) {
			return err
		}
		if cause == nil || !errors.Is(err, context.DeadlineExceeded) {
			cause = err
		}
		select {
		case <-ctx.Done():
			return cause
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// starting reports whether JetStream may become available shortly.
func starting(err error) bool {
	const temporarilyUnavailable = 10008
	api := (*jetstream.APIError)(nil)
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) ||
		errors.As(err, &api) && api.ErrorCode == temporarilyUnavailable
}

// report shows the changes that setup would make.
func (u *setup) report(parts []streams.Part) error {
	return u.print(parts, "missing", "differs", "up to date", func(off int) error {
		if off == 0 {
			return nil
		}
		if err := checkReplicas(parts); err != nil {
			return err
		}
		return fmt.Errorf("%d of %d differ from the settings; `ringline setup` updates them", off, len(parts))
	})
}

func (u *setup) apply(ctx context.Context, js jetstream.JetStream, before []streams.Part) error {
	ctx, stop := context.WithTimeout(ctx, u.wait)
	defer stop()
	err := retryWhileStarting(ctx, func(ctx context.Context) error { return streams.Setup(ctx, js, u.settings.Streams()) })
	if err != nil {
		return fmt.Errorf("%w%s", err, hint(err, u.settings.Sizes()))
	}
	after, err := u.inspect(ctx, js)
	if err != nil {
		return err
	}
	return u.print(before, "created", "changed", "kept", func(int) error {
		for _, p := range after {
			if !p.AsWanted() {
				return fmt.Errorf("%s %s can't be changed to the settings: %v", p.Kind, p.Name, p.Differences)
			}
		}
		return nil
	})
}

// hint names the setting that the server may object to.
func hint(err error, sizes streams.Sizes) string {
	const notClustered, noStorage, noStorageForUpdate, tooFewPeers = 10074, 10047, 10023, 10005
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return ""
	}
	switch api.ErrorCode { //nolint:exhaustive // of hundreds
	case notClustered:
		return "; see RINGLINE_REPLICAS"
	case tooFewPeers:
		return "; see RINGLINE_REPLICAS. " + wantedRoom(sizes)
	case noStorage, noStorageForUpdate:
		return ". " + wantedRoom(sizes)
	}
	return ""
}

// wantedRoom is the space that each server must be able to reserve. The server does not report its own limit.
func wantedRoom(sizes streams.Sizes) string {
	return fmt.Sprintf("The RINGLINE_…_MAX_BYTES add up to %v: max_file_store of each server must be at least that", settings.ByteSize(sizes.Total()).Rounded())
}

// print shows one line per part and its differences below, and returns result for the number of parts that differ.
func (u *setup) print(parts []streams.Part, missing, differs, asWanted string, result func(off int) error) error {
	off := 0
	tabs := tabwriter.NewWriter(u.out, 0, 0, 2, ' ', 0)
	for _, p := range parts {
		state := asWanted
		switch {
		case p.Missing:
			state = missing
		case len(p.Differences) > 0:
			state = differs
		}
		if !p.AsWanted() {
			off++
		}
		_, _ = fmt.Fprintf(tabs, "%s\t%s\t%s", p.Kind, p.Name, state)
		for i, d := range p.Differences {
			separator := "; "
			if i == 0 {
				separator = ": "
			}
			_, _ = fmt.Fprint(tabs, separator, d)
		}
		_, _ = fmt.Fprintln(tabs)
	}
	if err := tabs.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return result(off)
}
