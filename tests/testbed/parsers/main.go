// Reads what rekindle projects with the parsers of those who receive it.
//
// parsers metrics < TEXT: Prometheus' text parser and its linter, as `promtool check metrics` does it.
// parsers trace < JSON: the OpenTelemetry Collector's unmarshaler of OTLP JSON; prints a line a span.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

func main() {
	if err := read(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(arguments []string) error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	switch {
	case len(arguments) == 1 && arguments[0] == "metrics":
		return metrics(text)
	case len(arguments) == 1 && arguments[0] == "trace":
		return trace(text)
	default:
		return fmt.Errorf("usage: parsers metrics|trace < FILE")
	}
}

func metrics(text []byte) error {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return err
	}
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil {
		return err
	}
	for _, problem := range problems {
		err = fmt.Errorf("%s: %s", problem.Metric, problem.Text)
		fmt.Fprintln(os.Stderr, err)
	}
	for name, family := range families {
		fmt.Println(name, family.GetType(), len(family.GetMetric()))
	}
	return err
}

func trace(text []byte) error {
	unmarshaler := ptrace.JSONUnmarshaler{}
	traces, err := unmarshaler.UnmarshalTraces(text)
	if err != nil {
		return err
	}
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				fmt.Println(span.TraceID(), span.SpanID(), span.Kind(), span.Status().Code(),
					uint64(span.EndTimestamp()-span.StartTimestamp()), span.Name())
			}
		}
	}
	return nil
}
