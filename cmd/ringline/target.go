package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"ringline.io/ringline/events"
)

// target is the NATS servers and the app that a command works on.
type target struct {
	natsURL, app string
	settings     settings
}

// addFlags adds the flags that override the environment.
func (t *target) addFlags(cmd *cobra.Command) {
	addNATSFlag(cmd)
	cmd.Flags().StringVar(&t.app, "app", "", "app (default $RINGLINE_APP, else demo)")
}

func (t *target) read(cmd *cobra.Command) error {
	s, err := readSettings()
	if err != nil {
		return err
	}
	t.settings = s
	if t.natsURL, err = s.natsServers(cmd); err != nil {
		return err
	}
	if !cmd.Flags().Changed("app") {
		t.app = s.App
	}
	if err := events.CheckToken("--app", t.app); err != nil {
		return errors.New(err.Message)
	}
	return nil
}

func (t *target) connect(name string, options ...nats.Option) (*connection, error) {
	credentials, _ := t.settings.credentials() // an error would have been reported with the other settings
	conn, err := connect(t.natsURL, "ringline "+name,
		append(slices.Concat(credentials, options), nats.CustomInboxPrefix(t.settings.InboxPrefix), nats.Timeout(5*time.Second))...)
	switch {
	case err != nil && refused(err):
		return nil, fmt.Errorf("%w; see %s", noServer(t.natsURL, err), t.settings.shown())
	case err != nil:
		return nil, noServer(t.natsURL, err)
	}
	conn.shown = t.settings.shown()
	return conn, nil
}
