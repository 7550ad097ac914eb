package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// dataDir is the folder that a server keeps its files in. Nobody else uses it until it is closed.
type dataDir struct {
	path      string
	throwaway bool
	lock      *os.File
}

// errLocked means that another process holds the lock.
var errLocked = errors.New("locked")

const lockName = "ringline.lock"

// openDataDir makes the folder where it is missing, and locks it.
func openDataDir(path string) (*dataDir, error) {
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
	d := &dataDir{path: abs, lock: f}
	if err := d.writePID(); err != nil {
		return nil, errors.Join(fmt.Errorf("data folder: %w", err), d.close())
	}
	return d, nil
}

// The folders of JetStream's accounts in the data folder: what dev used before it had an account of its own, and that.
const (
	defaultAccountDir = "jetstream/$G"
	ownAccountDir     = "jetstream/" + accountName
)

// moveAccount moves what an earlier version of dev stored in the default account of NATS to the account that dev uses now. It
// refuses where both are there: then it is unknown which of them is wanted.
func (d *dataDir) moveAccount() (moved bool, err error) {
	old, own := filepath.Join(d.path, defaultAccountDir), filepath.Join(d.path, ownAccountDir)
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

// openThrowaway makes a folder that is gone when it is closed.
func openThrowaway() (*dataDir, error) {
	path, err := os.MkdirTemp("", "ringline-dev-")
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return &dataDir{path: path, throwaway: true}, nil
}

func (d *dataDir) close() error {
	if d.throwaway {
		return os.RemoveAll(d.path)
	}
	return d.lock.Close()
}

// writePID says in the lock who holds it.
func (d *dataDir) writePID() error {
	if err := d.lock.Truncate(0); err != nil {
		return err
	}
	_, err := d.lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func readPID(f *os.File) string {
	b := make([]byte, 20)
	n, _ := f.ReadAt(b, 0) // it is there for the message only
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (pid %d)", pid)
}
