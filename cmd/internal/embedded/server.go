package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rs/zerolog"

	"ringline.io/ringline/cmd/internal/settings"
)

// The embedded NATS server listens on loopback only.
const (
	// StoreLimit is the total that streams may reserve. A reservation uses no disk space.
	StoreLimit = 64 << 30
	startLimit = 30 * time.Second

	// As in deploy/nats/nats.conf: NATS disconnects a frozen worker, so that it gets no requests after 12 s.
	pingInterval = 3 * time.Second
	pingsOut     = 2
)

// accountName is the NATS account that holds everything of Ringline.
const accountName = "RINGLINE"

// accountConfig puts everything into an account of its own, as deploy/nats/nats.conf does: streams in the default
// account of NATS cannot be shared with the accounts of tenants. A client without credentials connects to this account,
// as the user with this nkey, which has no seed. The account has a storage limit because clients cannot see the
// server's.
func accountConfig() string {
	return fmt.Sprintf(`
accounts { %s { jetstream: { max_file: %d, max_mem: %[2]d }, users: [{ nkey: UBXLFGLLCV3UOUCMSWMIPFYS3IPGTB3I5DW7EM6L4HRWMRBSQWSSSPCI }] } }
no_auth_user: UBXLFGLLCV3UOUCMSWMIPFYS3IPGTB3I5DW7EM6L4HRWMRBSQWSSSPCI
`, accountName, StoreLimit)
}

// CheckPort checks that the NATS server will be able to listen.
func CheckPort(ctx context.Context, port int) error {
	addr := net.JoinHostPort(settings.DevNATSHost, strconv.Itoa(port))
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("another program listens on %s; stop it, or start with --port N (--port 0 takes any free one)", addr)
	case err != nil:
		return fmt.Errorf("--port %d: %w", port, err)
	}
	return l.Close()
}

// Start starts a NATS server with JetStream on the folder; port 0 picks a free port.
func Start(port int, dir string, log zerolog.Logger) (*server.Server, error) {
	if port == 0 {
		port = server.RANDOM_PORT
	}
	options := &server.Options{
		ServerName: "ringline-dev", Host: settings.DevNATSHost, Port: port, NoSigs: true,
		JetStream: true, StoreDir: dir, JetStreamMaxStore: StoreLimit, JetStreamMaxMemory: StoreLimit,
		PingInterval: pingInterval, MaxPingsOut: pingsOut,
	}
	if err := options.ProcessConfigString(accountConfig()); err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	srv, err := server.NewServer(options)
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	l := newServerLog(log)
	srv.SetLoggerV2(l, false, false, false)
	started := make(chan error, 1)
	go func() {
		srv.Start() // reads the stored data
		if !srv.ReadyForConnections(startLimit) {
			started <- fmt.Errorf("not ready after %v", startLimit)
		}
		close(started)
	}()
	select {
	case err = <-started:
	case err = <-l.fatal:
	}
	if err != nil {
		Stop(srv)
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	return srv, nil
}

// Stop stops the server and waits for its end.
func Stop(srv *server.Server) {
	srv.Shutdown()
	srv.WaitForShutdown()
}
