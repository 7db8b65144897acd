// Command collector is an OpenTelemetry Collector that takes traces by OTLP over HTTP and
// writes each request as a line of OTLP's JSON: what the tests of pictifyd's traces send to. It is put
// together from the project's own parts, as its builder does, and is a module of its own, so that
// pictifyd depends on nothing of it.
package main

import (
	"context"
	"errors"
	"log"
	"os"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
)

func main() {
	err := otelcol.NewCommand(otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "collector", Description: "traces into a file", Version: "1"},
		Factories: factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			ProviderFactories: []confmap.ProviderFactory{yamlprovider.NewFactory()}, DefaultScheme: "yaml",
		}},
	}).Execute()
	if err != nil {
		log.Fatal(err)
	}
}

func factories() (f otelcol.Factories, err error) {
	if f.Receivers, err = otelcol.MakeFactoryMap[receiver.Factory](otlpreceiver.NewFactory()); err != nil {
		return f, err
	}
	f.Exporters, err = otelcol.MakeFactoryMap[exporter.Factory](newLines())
	f.Telemetry = otelconftelemetry.NewFactory()
	return f, err
}

// lines is the part that writes: a line for each request, to the end of a file. While there is
// a file of that name with .refuse behind it, it refuses, and the collector says so to who sends.
type lines struct {
	component.StartFunc
	component.ShutdownFunc
	path string
}

type config struct {
	Path string `mapstructure:"path"`
}

func newLines() exporter.Factory {
	return exporter.NewFactory(component.MustNewType("lines"), func() component.Config { return &config{} },
		exporter.WithTraces(func(_ context.Context, _ exporter.Settings, c component.Config) (exporter.Traces, error) {
			return &lines{path: c.(*config).Path}, nil
		}, component.StabilityLevelStable))
}

func (l *lines) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (l *lines) ConsumeTraces(_ context.Context, traces ptrace.Traces) error {
	if _, err := os.Stat(l.path + ".refuse"); err == nil {
		return errors.New("it refuses for now")
	}
	text, err := new(ptrace.JSONMarshaler).MarshalTraces(traces)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	return errors.Join(err, f.Close())
}
