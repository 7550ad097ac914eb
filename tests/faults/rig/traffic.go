//go:build linux

package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Traffic is what clients have sent to the brokers and received from them so far.
type Traffic struct {
	InMsgs   int64 `json:"in_msgs"`
	OutMsgs  int64 `json:"out_msgs"`
	InBytes  int64 `json:"in_bytes"`
	OutBytes int64 `json:"out_bytes"`
}

// Minus returns the traffic since before.
func (t Traffic) Minus(before Traffic) Traffic {
	return Traffic{t.InMsgs - before.InMsgs, t.OutMsgs - before.OutMsgs, t.InBytes - before.InBytes, t.OutBytes - before.OutBytes}
}

// Traffic sums up the traffic of all brokers. It includes that of their routes.
func (r *Rig) Traffic(ctx context.Context) (sum Traffic, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for _, n := range r.Nodes {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.monitor+"/varz", http.NoBody)
		if err != nil {
			return sum, fmt.Errorf("rig: %w", err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return sum, fmt.Errorf("rig: traffic of %s: %w", n.Name, err)
		}
		var t Traffic
		err = json.NewDecoder(resp.Body).Decode(&t)
		_ = resp.Body.Close()
		if err != nil {
			return sum, fmt.Errorf("rig: traffic of %s: %w", n.Name, err)
		}
		sum = Traffic{sum.InMsgs + t.InMsgs, sum.OutMsgs + t.OutMsgs, sum.InBytes + t.InBytes, sum.OutBytes + t.OutBytes}
	}
	return sum, nil
}
