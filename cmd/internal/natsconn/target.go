package natsconn

import (
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/cmd/internal/settings"
	"ringline.io/ringline/events"
)

// Target is the NATS servers and the app that a command works on.
type Target struct {
	URL, App string
	Settings settings.Settings
}

// AddFlags adds the flags that override the environment.
func (t *Target) AddFlags(cmd *cobra.Command) {
	settings.AddNATSFlag(cmd)
	cmd.Flags().StringVar(&t.App, "app", "", "app (default $RINGLINE_APP, else demo)")
}

// Read reads the flags and the environment.
func (t *Target) Read(cmd *cobra.Command) error {
	s, err := settings.Read()
	if err != nil {
		return err
	}
	t.Settings = s
	if t.URL, err = s.NATSServers(cmd); err != nil {
		return err
	}
	if !cmd.Flags().Changed("app") {
		t.App = s.App
	}
	return cli.WithoutCode(events.CheckToken("--app", t.App))
}

// Connect connects to the target. It fails if no server answers within 5 s.
func (t *Target) Connect(name string, options ...nats.Option) (*Conn, error) {
	credentials, _ := t.Settings.Credentials() // an error would have been reported with the other settings
	conn, err := Connect(t.URL, "ringline "+name,
		append(slices.Concat(credentials, options), nats.CustomInboxPrefix(t.Settings.InboxPrefix), nats.Timeout(5*time.Second))...)
	switch {
	case err != nil && Refused(err):
		return nil, fmt.Errorf("%w; see %s", NoServer(t.URL, err), t.Settings.CredentialsSource())
	case err != nil:
		return nil, NoServer(t.URL, err)
	}
	conn.Credentials = t.Settings.CredentialsSource()
	return conn, nil
}
