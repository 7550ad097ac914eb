package settings

import (
	"fmt"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

// ReadForService reads the settings and creates the logger that they configure.
func ReadForService(cmd *cobra.Command) (Settings, zerolog.Logger, error) {
	s, err := Read()
	if err != nil {
		return s, zerolog.Nop(), err
	}
	level, err := s.level()
	return s, newLogger(cmd.ErrOrStderr(), level), err
}

// AddNATSFlag adds the flag that NATSServers reads.
func AddNATSFlag(cmd *cobra.Command) {
	cmd.Flags().String("nats-url", "", "NATS servers (default $RINGLINE_NATS_URL, else nats://127.0.0.1:4222)")
}

// NATSServers returns the value of the flag nats-url, else of the environment, else the default.
func (s Settings) NATSServers(cmd *cobra.Command) (string, error) {
	f := cmd.Flags().Lookup("nats-url")
	switch {
	case !f.Changed:
		return s.NatsURL, nil
	}
	return f.Value.String(), CheckURLs("--nats-url", f.Value.String())
}

// HTTPAddress is the address for HTTP and the name of the flag or variable that set it.
type HTTPAddress struct{ Addr, From string }

// HTTPAddress returns the value of the flag http, else of the environment, else the default.
func (s Settings) HTTPAddress(cmd *cobra.Command) (HTTPAddress, error) {
	f := cmd.Flags().Lookup("http")
	switch addr := f.Value.String(); {
	case !f.Changed && s.HTTP != "":
		return HTTPAddress{s.HTTP, "RINGLINE_HTTP"}, nil
	case !validHTTP(addr):
		return HTTPAddress{}, fmt.Errorf("--http "+wantedHTTP, addr)
	default:
		return HTTPAddress{addr, "--http"}, nil
	}
}
