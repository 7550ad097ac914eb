//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package embedded

import "os"

// lockFile does nothing on this platform: only a port conflict reveals a second server on one folder.
func lockFile(*os.File) error { return nil }
