package daemon

import (
	"fmt"
	"slices"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/again"
	"github.com/pictifyd/pictifyd/copilot/model/anthropic"
	"github.com/pictifyd/pictifyd/copilot/model/ladder"
	"github.com/pictifyd/pictifyd/copilot/model/openai"
	"github.com/pictifyd/pictifyd/copilot/model/rules"
)

// modelsOf are the models of the configuration, the one that runs take by default
// first. The rules are always among them. The others are asked again where that may
// help, and each of them calls tools in whichever way it can.
func modelsOf(c Copilot) ([]model.Provider, error) {
	all := []model.Provider{rules.New(rulesModel)}
	for _, m := range c.Models {
		p, err := m.provider()
		if err != nil {
			return nil, fmt.Errorf("copilot model %q: %w", m.Name, err)
		}
		all = append(all, ladder.New(again.New(p)))
	}
	at := slices.IndexFunc(all, func(p model.Provider) bool { return p.Info().Name == c.Model })
	if at < 0 { // Validate has seen to it
		return all, nil
	}
	first := all[at]
	return append([]model.Provider{first}, slices.Delete(all, at, at+1)...), nil
}

// provider is who answers for m. The operator says where that is, so that nothing
// but his own network stands in the way: egress is about what callers and rows name.
func (m CopilotModel) provider() (model.Provider, error) {
	if m.Kind == kindAnthropic {
		can := anthropic.Can()
		can.Tools, can.Vision = m.Tools, m.Vision
		if m.MaxImages > 0 {
			can.MaxImages = m.MaxImages
		}
		return anthropic.New(anthropic.Config{Name: m.Name, URL: m.URL, Model: m.Model, Key: m.Key.Reveal(), Capabilities: can, Price: model.Price(m.Price)})
	}
	return openai.New(openai.Config{
		Name: m.Name, URL: m.URL, Model: m.Model, Key: m.Key.Reveal(), Capabilities: openai.Can(m.Tools, m.Vision, m.MaxImages), Price: model.Price(m.Price),
	})
}
