package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"ringline.io/ringline/events"
	"ringline.io/ringline/worker/meter"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use: "version", GroupID: groupServe, Short: "Show the version of this program and of what is in it", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo()
			return printVersion(cmd.OutOrStdout(), info)
		},
	}
}

func printVersion(w io.Writer, info *debug.BuildInfo) error {
	_, err := fmt.Fprintf(w, "ringline     %s\nformats      begins calls in %d, reads up to %d\ngo           %s %s/%s\nnats-server  %s (embedded, for dev)\nnats.go      %s\n",
		versionText(info), events.BeginFormat, events.NewestFormat, strings.TrimPrefix(runtime.Version(), "go"), runtime.GOOS, runtime.GOARCH, server.VERSION, nats.Version)
	return err
}

// newMeter creates the meter of this process.
func newMeter() *meter.Meter { return meter.New(ownVersion()) }

func ownVersion() string {
	info, _ := debug.ReadBuildInfo()
	return versionText(info)
}

// versionText is the module version and the commit of the build.
func versionText(info *debug.BuildInfo) string {
	if info == nil {
		return "unknown"
	}
	version, revision, changed := info.Main.Version, "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = ", changed since"
		}
	}
	if revision == "" {
		return version
	}
	return fmt.Sprintf("%s (%s%s)", version, revision, changed)
}
