package idle

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/device"
)

const app = "idle"

// sessions are the open sessions.
type sessions struct {
	server string
	token  func(user string) (string, error)

	mu   sync.Mutex
	open []*device.Device
	came map[string]chan time.Time // awaited pushes, by call id
	lost map[string]int            // ended sessions, by reason
}

// perAddress is the number of sessions per source address. The edge limits it, and so does the number of
// ports.
const perAddress = 500

func user(i int) string { return fmt.Sprintf("user-%d", i) }

// grow opens sessions until there are to of them.
func (s *sessions) grow(ctx context.Context, to int) error {
	const parallel = 32
	slots := make(chan struct{}, parallel)
	failed := make(chan error, 1)
	var wg sync.WaitGroup
	for i := len(s.open); i < to && len(failed) == 0; i++ {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := s.enter(ctx, i); err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return fmt.Errorf("idle: open %d sessions (is the limit of open files below 2 for each?): %w", to, err)
	default:
		return nil
	}
}

func (s *sessions) enter(ctx context.Context, i int) error {
	raw, err := s.token(user(i))
	if err != nil {
		return err
	}
	d, _, err := device.Connect(ctx, device.Hello{
		Server: s.server, From: fmt.Sprintf("127.0.2.%d", 1+i/perAddress), Token: raw, Device: "phone",
	}, nil)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.open = append(s.open, d)
	s.mu.Unlock()
	go func() {
		err := d.Run(s.receive)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lost[err.Error()]++
	}()
	return nil
}

func (s *sessions) receive(data []byte) {
	now := time.Now()
	var n events.Notification
	if json.Unmarshal(data, &n) != nil {
		return
	}
	s.mu.Lock()
	c := s.came[n.CallID]
	s.mu.Unlock()
	if c != nil {
		c <- now
	}
}

// ended returns an error if sessions ended by themselves.
func (s *sessions) ended() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lost) == 0 {
		return nil
	}
	return fmt.Errorf("idle: sessions ended: %v", s.lost)
}

// close closes all sessions.
func (s *sessions) close() {
	s.mu.Lock()
	all := s.open
	s.open = nil
	s.mu.Unlock()
	for _, d := range all {
		d.Socket.Reset()
	}
}
