// Package scrape reads the metrics of workers as Prometheus does, and writes them as a unit test for
// promtool.
//
// Rules of the package:
//
//  1. Each target is scraped once per interval. up is 1 if it responds in time. Otherwise up is 0, and its
//     other series end with a stale marker.
//  2. A target that is gone has no up. Prometheus discovers workers by the DNS name of their service, which
//     no longer has the address.
//  3. A series is kept if the expression of an alert uses its metric. A counter that is 0 in the whole
//     recording is omitted, because no rate or increase of it is above 0.
//  4. Only the series of a file are rewritten. The part above them, with the expected alerts, is edited by
//     hand.
package scrape
