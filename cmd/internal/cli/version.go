package cli

import (
	"fmt"
	"runtime/debug"
)

// Version is the version of this program.
func Version() string {
	info, _ := debug.ReadBuildInfo()
	return VersionText(info)
}

// VersionText is the module version and the commit of the build.
func VersionText(info *debug.BuildInfo) string {
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
