// Command reference writes docs/metrics.md from the declarations of package meter. The text between them is in page.md.
// go generate runs it in the folder of that package.
package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"

	"ringline.io/ringline/worker/meter"
)

//go:embed page.md
var page string

func main() {
	if err := run(filepath.Join("..", "..", "docs", "metrics.md")); err != nil {
		panic(err)
	}
}

func run(path string) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"metrics": meter.Metrics, "labels": labels, "values": values, "buckets": buckets,
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("reference: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, nil); err != nil {
		return fmt.Errorf("reference: %w", err)
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// labels lists the labels of a metric.
func labels(m meter.Metric) string {
	var names []string
	for _, l := range m.Labels {
		names = append(names, code(l.Name))
	}
	return strings.Join(names, ", ")
}

// values lists the values of a label.
func values(name string) (string, error) {
	for _, m := range meter.Metrics() {
		for _, l := range m.Labels {
			if l.Name == name {
				return code(strings.Join(l.Values, "`, `")), nil
			}
		}
	}
	return "", fmt.Errorf("no metric has a label %s", name)
}

// buckets lists the upper bounds of a histogram.
func buckets(m meter.Metric) string {
	var list []string
	for _, b := range m.Buckets {
		list = append(list, strconv.FormatFloat(b, 'f', -1, 64))
	}
	return strings.Join(list, ", ")
}

func code(s string) string { return "`" + s + "`" }
