package operate

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"ringline.io/ringline/cmd/internal/cli"
	"ringline.io/ringline/events"
)

// NewVersion is the command that shows versions.
func NewVersion() *cobra.Command {
	return &cobra.Command{
		Use: "version", GroupID: cli.GroupServe, Short: "Show the versions of this program and its main dependencies", Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo()
			return printVersion(cmd.OutOrStdout(), info)
		},
	}
}

func printVersion(w io.Writer, info *debug.BuildInfo) error {
	_, err := fmt.Fprintf(w, "ringline     %s\nformats      begins calls in %d, reads up to %d\ngo           %s %s/%s\nnats-server  %s (embedded, for dev)\nnats.go      %s\n",
		cli.VersionText(info), events.BeginFormat, events.NewestFormat, strings.TrimPrefix(runtime.Version(), "go"), runtime.GOOS, runtime.GOARCH, server.VERSION, nats.Version)
	return err
}
