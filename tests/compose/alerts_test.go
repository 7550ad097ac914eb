package compose

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v4"
)

// scrapes is the part of prometheus.yml that we check.
//
//nolint:tagliatelle // the names are Prometheus's
type scrapes struct {
	RuleFiles []string `yaml:"rule_files"`
	Jobs      []struct {
		Name string `yaml:"job_name"`
		DNS  []struct {
			Names []string `yaml:"names"`
			Type  string   `yaml:"type"`
			Port  string   `yaml:"port"`
		} `yaml:"dns_sd_configs"`
	} `yaml:"scrape_configs"`
}

// rules is a file of alerts.
type rules struct {
	Groups []struct {
		Name  string  `yaml:"name"`
		Rules []alert `yaml:"rules"`
	} `yaml:"groups"`
}

type alert struct {
	Name        string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

const runbook = "docs/operations.md"

// checkPrometheus checks the scrape targets and the alerts.
func (s site) checkPrometheus(f *findings, project *types.Project) {
	svc, ok := project.Services["prometheus"]
	if !ok {
		f.add("no service prometheus")
		return
	}
	want := "prom/prometheus:v3." + strings.TrimPrefix(s.version(f, "tests/compose/go.mod", promVersion), "3")
	f.check(svc.Image == want, "%s is not %s, with whose parser the alerts are checked", svc.Image, want)
	config := onHost(svc, "/etc/prometheus/prometheus.yml") // where the image looks for it
	var asks scrapes
	s.decode(f, config, &asks, false)
	jobs := map[string][]string{}
	for _, job := range asks.Jobs {
		jobs["job"] = append(jobs["job"], job.Name)
		for _, dns := range job.DNS {
			for _, name := range dns.Names {
				f.check(dns.Type == "A" && dns.Port == httpPort(project.Services[name]),
					"prometheus.yml: no service %s shows metrics on port %s", name, dns.Port)
			}
		}
	}
	f.check(len(asks.RuleFiles) > 0, "prometheus.yml: no rule_files")
	for _, file := range asks.RuleFiles {
		var r rules
		s.decode(f, filepath.Join(filepath.Dir(config), file), &r, true)
		s.checkAlerts(f, r, jobs)
	}
}

// decode reads a YAML file with one document.
func (s site) decode(f *findings, file string, into any, strict bool) {
	name, err := filepath.Rel(s.root, file)
	if err != nil {
		f.add("%v", err)
		return
	}
	d := yaml.NewDecoder(bytes.NewBufferString(s.read(f, name)))
	d.KnownFields(strict)
	if err := d.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		f.add("%s: %v", name, err)
	}
}

func (s site) checkAlerts(f *findings, r rules, jobs map[string][]string) {
	sections := regexp.MustCompile(`(?m)^### (Ringline\w+)$`).FindAllStringSubmatch(s.read(f, runbook), -1)
	described := map[string]bool{}
	for _, section := range sections {
		described[section[1]] = true
	}
	f.check(len(r.Groups) > 0, "no group of alerts")
	for _, g := range r.Groups {
		f.check(g.Name != "" && len(g.Rules) > 0, "group %q of alerts is empty or has no name", g.Name)
		for _, a := range g.Rules {
			f.check(described[a.Name], "%s: %s has no section of that name", a.Name, runbook)
			delete(described, a.Name)
			a.check(f, jobs)
		}
	}
	for name := range described {
		f.add("%s: there is no alert %s", runbook, name)
	}
}

func (a alert) check(f *findings, jobs map[string][]string) {
	if a.For != "" {
		_, err := model.ParseDuration(a.For)
		f.check(err == nil, "%s: for: %v", a.Name, err)
	}
	f.check(slices.Contains([]string{"page", "ticket"}, a.Labels["severity"]), "%s: severity %q", a.Name, a.Labels["severity"])
	want := runbook + "#" + strings.ToLower(a.Name)
	f.check(a.Annotations["what_to_do"] == want, "%s: what_to_do is not %s", a.Name, want)
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(a.Expr)
	if err != nil {
		f.add("%s: %v", a.Name, err)
		return
	}
	seen := a.checkExpr(f, expr, jobs)
	for _, name := range []string{"summary", "description"} {
		f.check(a.Annotations[name] != "", "%s: no %s", a.Name, name)
		a.checkText(f, a.Annotations[name], seen)
	}
}

// checkExpr requires that all metrics, labels and words exist. It returns the labels that an alert can have.
func (a alert) checkExpr(f *findings, expr parser.Expr, jobs map[string][]string) map[string]string {
	known, seen := map[string][]string{"job": jobs["job"], "instance": nil}, map[string]string{}
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			maps.Copy(known, a.checkSelector(f, v, known))
		}
		return nil
	})
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		g, ok := n.(*parser.AggregateExpr)
		if !ok {
			return nil
		}
		for _, label := range g.Grouping {
			_, there := known[label]
			f.check(there, "%s: groups by %q, which no metric of it has", a.Name, label)
		}
		return nil
	})
	for _, label := range labelsOf(expr) {
		seen[label] = ""
	}
	return seen
}

// labelsOf returns the labels that a result of the expression can have.
func labelsOf(expr parser.Expr) []string {
	switch x := expr.(type) {
	case *parser.VectorSelector:
		return append(slices.Collect(maps.Keys(metrics()[histogram(x.Name)].labels)), "job", "instance")
	case *parser.AggregateExpr:
		return x.Grouping
	case *parser.BinaryExpr:
		switch {
		case x.Op == parser.LOR:
			return append(labelsOf(x.LHS), labelsOf(x.RHS)...)
		case !x.Op.IsSetOperator() && x.VectorMatching != nil && x.VectorMatching.On:
			return x.VectorMatching.MatchingLabels
		}
		return labelsOf(x.LHS)
	}
	var list []string
	for child := range parser.ChildrenIter(expr) {
		if e, ok := child.(parser.Expr); ok {
			list = append(list, labelsOf(e)...)
		}
	}
	return list
}

// histogram returns the name of the metric that a series belongs to: the buckets and the count of a histogram have
// their own names.
func histogram(series string) string {
	for _, part := range []string{"_bucket", "_count"} {
		if base, ok := strings.CutSuffix(series, part); ok && metrics()[base].histogram {
			return base
		}
	}
	return series
}

// checkSelector returns the labels of the metric.
func (a alert) checkSelector(f *findings, v *parser.VectorSelector, always map[string][]string) map[string][]string {
	base, isBucket := histogram(v.Name), strings.HasSuffix(v.Name, "_bucket")
	m, ok := metrics()[base]
	f.check(v.Name == "up" || ok && m.histogram == (base != v.Name), "%s: there is no metric %s", a.Name, v.Name)
	own := maps.Clone(always)
	maps.Copy(own, m.labels)
	if isBucket {
		own["le"] = nil
	}
	for _, match := range v.LabelMatchers {
		if match.Name == model.MetricNameLabel {
			continue
		}
		words, there := own[match.Name]
		f.check(there, "%s: %s has no label %s", a.Name, v.Name, match.Name)
		for word := range strings.SplitSeq(match.Value, "|") {
			f.check(words == nil || slices.Contains(words, word), "%s: %s of %s is never %q", a.Name, match.Name, v.Name, word)
		}
	}
	return own
}

// checkText expands a text as Prometheus does.
func (a alert) checkText(f *findings, text string, seen map[string]string) {
	same := func(v any) any { return v }
	t, err := template.New("").Option("missingkey=error").Funcs(template.FuncMap{"humanize": same, "humanizeDuration": same, "humanizePercentage": same}).
		Parse("{{ $labels := .labels }}{{ $value := .value }}" + text)
	if err == nil {
		err = t.Execute(io.Discard, map[string]any{"labels": seen, "value": 1.5})
	}
	f.check(err == nil, "%s: %q: %v", a.Name, text, err)
}
