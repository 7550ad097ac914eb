package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// DataDir is the folder of a server's files, locked until it is closed.
type DataDir struct {
	Path      string
	throwaway bool
	lock      *os.File
}

// errLocked means that another process holds the lock.
var errLocked = errors.New("locked")

const lockName = "ringline.lock"

// OpenDataDir creates the folder if it is missing, and locks it.
func OpenDataDir(path string) (*DataDir, error) {
	if path == "" {
		return nil, errors.New("--data: is empty; name a folder, or use --memory")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := os.MkdirAll(abs, 0o750); err != nil {
		return nil, fmt.Errorf("data folder: %w; choose another with --data DIR", err)
	}
	f, err := os.OpenFile(filepath.Join(abs, lockName), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w; choose another with --data DIR", err)
	}
	if err := lockFile(f); err != nil {
		holder := readPID(f)
		_ = f.Close()
		if errors.Is(err, errLocked) {
			return nil, fmt.Errorf("another ringline dev%s uses the data folder %s; stop it, or start with --data DIR or --memory", holder, abs)
		}
		return nil, fmt.Errorf("data folder: lock %s: %w", abs, err)
	}
	d := &DataDir{Path: abs, lock: f}
	if err := d.writePID(); err != nil {
		return nil, errors.Join(fmt.Errorf("data folder: %w", err), d.Close())
	}
	return d, nil
}

// The folders of JetStream accounts in the data folder: the default account, which earlier versions of dev used, and
// dev's own account.
const (
	DefaultAccountDir = "jetstream/$G"
	OwnAccountDir     = "jetstream/" + accountName
)

// MoveAccount moves the streams that an earlier version of dev stored in the default account to dev's own account. It
// refuses if both exist, because it cannot know which one is wanted.
func (d *DataDir) MoveAccount() (moved bool, err error) {
	old, own := filepath.Join(d.Path, DefaultAccountDir), filepath.Join(d.Path, OwnAccountDir)
	switch streams, err := os.ReadDir(filepath.Join(old, "streams")); {
	case errors.Is(err, os.ErrNotExist), err == nil && len(streams) == 0:
		return false, nil
	case err != nil:
		return false, fmt.Errorf("data folder: %w", err)
	}
	switch _, err := os.Stat(own); {
	case err == nil:
		return false, fmt.Errorf("data folder: there are two accounts with streams, %s of an earlier version and %s; "+
			"move one of them away, or start with --data DIR", old, own)
	case !errors.Is(err, os.ErrNotExist):
		return false, fmt.Errorf("data folder: %w", err)
	}
	if err := os.Rename(old, own); err != nil {
		return false, fmt.Errorf("data folder: %w", err)
	}
	return true, nil
}

// OpenThrowaway creates a folder that Close removes.
func OpenThrowaway() (*DataDir, error) {
	path, err := os.MkdirTemp("", "ringline-dev-")
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return &DataDir{Path: path, throwaway: true}, nil
}

// Close releases the folder, and removes it if it is a throwaway.
func (d *DataDir) Close() error {
	if d.throwaway {
		return os.RemoveAll(d.Path)
	}
	return d.lock.Close()
}

// writePID writes the pid of the lock's holder into the lock file.
func (d *DataDir) writePID() error {
	if err := d.lock.Truncate(0); err != nil {
		return err
	}
	_, err := d.lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func readPID(f *os.File) string {
	b := make([]byte, 20)
	n, _ := f.ReadAt(b, 0) // used in an error text only
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (pid %d)", pid)
}
