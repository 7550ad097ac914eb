package main

import (
	"fmt"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

// readForService reads the settings and creates the logger that they configure.
func readForService(cmd *cobra.Command) (settings, zerolog.Logger, error) {
	s, err := readSettings()
	if err != nil {
		return s, zerolog.Nop(), err
	}
	level, err := s.level()
	return s, newLogger(cmd.ErrOrStderr(), level), err
}

func addNATSFlag(cmd *cobra.Command) {
	cmd.Flags().String("nats-url", "", "NATS servers (default $RINGLINE_NATS_URL, else nats://127.0.0.1:4222)")
}

// natsServers returns the value of the flag, else of the environment, else the default.
func (s settings) natsServers(cmd *cobra.Command) (string, error) {
	f := cmd.Flags().Lookup("nats-url")
	switch {
	case !f.Changed:
		return s.NatsURL, nil
	}
	return f.Value.String(), checkURLs("--nats-url", f.Value.String())
}

// httpAddress is the address for HTTP and the name of the flag or variable that set it.
type httpAddress struct{ addr, from string }

// httpAddress returns the value of the flag, else of the environment, else the default.
func (s settings) httpAddress(cmd *cobra.Command) (httpAddress, error) {
	f := cmd.Flags().Lookup("http")
	switch addr := f.Value.String(); {
	case !f.Changed && s.HTTP != "":
		return httpAddress{s.HTTP, "RINGLINE_HTTP"}, nil
	case !validHTTP(addr):
		return httpAddress{}, fmt.Errorf("--http "+wantedHTTP, addr)
	default:
		return httpAddress{addr, "--http"}, nil
	}
}
