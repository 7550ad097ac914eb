package compose

import (
	"os"
	"regexp"
	"strings"
	"sync"
)

// metric is a metric of the workers. A label without words may have any value.
type metric struct {
	histogram bool
	labels    map[string][]string
}

// metrics are the metrics that an alert may use, by name. They come from docs/metrics.md, which is generated from their
// declarations.
var metrics = sync.OnceValue(func() map[string]metric {
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		panic(err) // without metrics every alert would fail
	}
	quoted := regexp.MustCompile("`([a-z_]+)`")
	words := func(cell string) (list []string) {
		for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
			list = append(list, m[1])
		}
		return list
	}
	values, all := map[string][]string{}, map[string]metric{}
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, " | "); len(cells) == 2 && strings.HasPrefix(line, "| `") {
			if name := words(cells[0])[0]; values[name] == nil { // the first table of labels; others explain single words
				values[name] = words(cells[1])
			}
		}
	}
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 6 || !strings.HasPrefix(line, "| `ringline_") {
			continue
		}
		m := metric{histogram: cells[1] == "histogram", labels: map[string][]string{}}
		for _, label := range words(cells[3]) {
			m.labels[label] = values[label]
		}
		if _, any := m.labels["version"]; any {
			m.labels["version"] = nil
		}
		all[words(cells[0])[0]] = m
	}
	return all
})
