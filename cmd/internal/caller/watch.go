package caller

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/cmd/internal/natsconn"
	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/streams"
)

// watch prints events as they happen, one line each.
type watch struct {
	client

	user, call  string
	all, asJSON bool

	colors colors
	errors colors

	mu  sync.Mutex // several subscriptions print
	out io.Writer
	err io.Writer
}

// NewWatch is the command that shows events as they happen.
func NewWatch() *cobra.Command {
	var w watch
	cmd := &cobra.Command{
		Use: "watch [--user U | --call C | --all]", GroupID: cli.GroupCall, Short: "Show notifications and transitions live",
		Long: "Shows, one per line, until Ctrl-C:\n" +
			"  --user U  the notifications of this user\n" +
			"  --call C  the transitions of this call, from its first\n" +
			"  --all     every new transition and notification of the app (default)",
		Example:               "  ringline watch --user bob\n  ringline watch --call c1 --json",
		DisableFlagsInUseLine: true,
		Args:                  cli.NoArguments,
		PreRunE:               func(cmd *cobra.Command, _ []string) error { return cli.AtMostOne(cmd, "user", "call", "all") },
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := w.Read(cmd); err != nil {
				return err
			}
			w.out, w.err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			w.colors, w.errors = newColors(w.out), newColors(w.err)
			return w.run(cmd)
		},
	}
	cmd.Flags().StringVar(&w.user, "user", "", "user whose notifications are shown")
	cmd.Flags().StringVar(&w.call, "call", "", "call whose transitions are shown")
	cmd.Flags().BoolVar(&w.all, "all", false, "everything in the app")
	cmd.Flags().BoolVar(&w.asJSON, "json", false, "print each message as received")
	w.AddFlags(cmd)
	return cmd
}

// run watches until the command's context ends.
func (w *watch) run(cmd *cobra.Command) error {
	ctx := cmd.Context()
	what, err := w.check(cmd)
	if err != nil {
		return err
	}
	conn, err := w.Connect("watch", nats.MaxReconnects(-1), nats.ReconnectWait(250*time.Millisecond),
		nats.DisconnectErrHandler(w.disconnected), nats.ReconnectHandler(w.reconnected), nats.ErrorHandler(w.asyncError))
	if err != nil {
		return err
	}
	stop, err := w.subscribe(ctx, conn)
	if err != nil {
		conn.Close()
		return err
	}
	w.say("watching %s; Ctrl-C ends it", what)
	if cmd.Flags().Changed("user") {
		caller := "ann"
		if w.user == caller {
			caller = "bob"
		}
		w.say("ring %s from another terminal:  %s invite %s --user %s%s",
			cli.Plain(w.user), cli.Invocation(), cli.ShellWord(w.user), caller, w.flagsToRepeat(cmd))
	}
	<-ctx.Done()
	stop()
	return conn.DrainAndWait(context.WithoutCancel(ctx))
}

// check validates the ids as subject tokens, and returns the text of what is watched.
func (w *watch) check(cmd *cobra.Command) (what string, err error) {
	where := fmt.Sprintf("in app %s on %s", w.App, settings.WithoutSecrets(w.URL))
	switch {
	case cmd.Flags().Changed("user"):
		if err := events.CheckName("--user", w.user); err != nil {
			return "", cli.WithoutCode(err)
		}
		return fmt.Sprintf("the notifications of %s %s", cli.Plain(w.user), where), nil
	case cmd.Flags().Changed("call"):
		if err := events.CheckToken("--call", w.call); err != nil {
			return "", cli.WithoutCode(err)
		}
		return fmt.Sprintf("call %s %s", w.call, where), nil
	}
	return "everything " + where, nil
}

// subscribe starts to print. Once it returns, the server has the subscriptions.
func (w *watch) subscribe(ctx context.Context, conn *natsconn.Conn) (stop func(), err error) {
	stop = func() {}
	subject := ""
	switch {
	case w.user != "":
		subject = events.UserSubject(w.App, w.user)
	case w.call == "":
		subject = events.AppNotifications(w.App)
	}
	if subject != "" {
		if _, err := conn.Subscribe(subject, func(m *nats.Msg) { w.print(notificationLine, m.Subject, m.Data) }); err != nil {
			return nil, fmt.Errorf("subscribe to %s: %w", subject, err)
		}
	}
	if w.user == "" {
		if stop, err = w.consume(ctx, conn); err != nil {
			return nil, err
		}
	}
	if err := conn.FlushTimeout(10 * time.Second); err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	return stop, nil
}

// consume reads all transitions of one call, or all new transitions of the app.
func (w *watch) consume(ctx context.Context, conn *natsconn.Conn) (stop func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	stream, err := conn.JS.Stream(ctx, streams.StreamCalls)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, fmt.Errorf("no Ringline at %s: there is no stream %s; %s", settings.WithoutSecrets(w.URL), streams.StreamCalls, w.workersHint())
	case err != nil:
		return nil, fmt.Errorf("open stream %s at %s: %w", streams.StreamCalls, settings.WithoutSecrets(w.URL), err)
	}
	cfg := jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{events.AppTransitions(w.App)},
		DeliverPolicy:  jetstream.DeliverByStartSequencePolicy, OptStartSeq: stream.CachedInfo().State.LastSeq + 1,
	}
	if w.call != "" {
		cfg.FilterSubjects, cfg.DeliverPolicy = []string{events.TransitionSubject(w.App, w.call)}, jetstream.DeliverAllPolicy
		cfg.OptStartSeq = 0
	}
	cons, err := stream.OrderedConsumer(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("read stream %s: %w", streams.StreamCalls, err)
	}
	cc, err := cons.Consume(func(m jetstream.Msg) { w.print(transitionLine, m.Subject(), m.Data()) },
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) { w.readError(err) }))
	if err != nil {
		return nil, fmt.Errorf("read stream %s: %w", streams.StreamCalls, err)
	}
	return cc.Stop, nil
}

// print writes a message, either raw or as a line for humans.
func (w *watch) print(line func(p colors, subject string, data []byte, now time.Time) string, subject string, data []byte) {
	text := string(bytes.TrimSpace(data))
	if !w.asJSON {
		text = line(w.colors, subject, data, time.Now())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = fmt.Fprintln(w.out, text)
}

// say prints a status line to stderr.
func (w *watch) say(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = fmt.Fprintln(w.err, w.errors.Dim(fmt.Sprintf(format, args...)))
}

func (w *watch) disconnected(_ *nats.Conn, err error) {
	if err != nil {
		w.say("connection lost (%v), reconnecting", err)
	}
}

func (w *watch) reconnected(*nats.Conn) {
	w.say("connected again; notifications sent meanwhile were missed")
}

func (w *watch) asyncError(_ *nats.Conn, _ *nats.Subscription, err error) { w.say("NATS: %v", err) }

// readError reports errors from which the ordered consumer does not recover by itself.
func (w *watch) readError(err error) {
	if !errors.Is(err, jetstream.ErrNoHeartbeat) && !errors.Is(err, jetstream.ErrServerShutdown) {
		w.say("read stream %s: %v", streams.StreamCalls, err)
	}
}
