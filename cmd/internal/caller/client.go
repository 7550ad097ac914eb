package caller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/cmd/internal/natsconn"
	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/events"
)

// client sends requests to the API.
type client struct{ natsconn.Target }

// requestTimeout is longer than the service itself waits.
const requestTimeout = 10 * time.Second

// request calls the API and returns the raw answer.
func (c *client) request(ctx context.Context, method string, body []byte) (answer []byte, err error) {
	conn, err := c.Connect(method)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	msg, err := conn.RequestWithContext(ctx, events.APISubject(c.App, method), body)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, fmt.Errorf("no Ringline worker answers at %s; %s", settings.WithoutSecrets(c.URL), c.workersHint())
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("no answer came within %v; it may still be executed", requestTimeout)
	case err != nil:
		return nil, fmt.Errorf("ask for %s: %w", method, err)
	}
	return msg.Data, nil
}

// workersHint suggests the commands to run if NATS answers and Ringline does not.
func (c *client) workersHint() string {
	flag := ""
	if c.URL != c.Settings.NatsURL {
		flag = " --nats-url " + cli.ShellWord(settings.WithoutSecrets(c.URL))
	}
	return fmt.Sprintf("run `%s setup%s` and then `%[1]s coordinator%[2]s`", cli.Invocation(), flag)
}

// flagsToRepeat returns the flags that a suggested command line also needs.
func (c *client) flagsToRepeat(cmd *cobra.Command) string {
	var s strings.Builder
	for _, name := range []string{"nats-url", "app"} {
		if f := cmd.Flags().Lookup(name); f.Changed {
			fmt.Fprintf(&s, " --%s %s", name, cli.ShellWord(f.Value.String()))
		}
	}
	return s.String()
}
