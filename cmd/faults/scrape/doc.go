// Package scrape asks workers for their metrics as Prometheus does, and writes the answers as a unit test for promtool.
//
// What it promises:
//
//  1. A target is asked at each interval. up is 1 where it answers in time, else 0, and its other series end with a stale marker.
//  2. A target that is gone has no up: Prometheus finds workers by the DNS name of their service, which no longer has the address.
//  3. A series is kept if its metric is in the expression of some alert. A counter that is 0 in the whole recording is left out: no
//     rate or increase of it is above 0.
//  4. Only the series of a file are written anew. What is above them, the expected alerts, is edited by hand.
package scrape
