package api

import (
	"fmt"
	"net/http"
)

// A winnerForecast is what the end of an experiment would render.
type winnerForecast struct {
	Winner      string                `json:"winnerVariantId"`
	Images      int                   `json:"images"`    // that would be rendered
	Reused      int                   `json:"reused"`    // that would become pictures which are made already
	Unchanged   int                   `json:"unchanged"` // that stay as they are
	Held        int                   `json:"held"`      // whose change the guard holds
	FailingRows int                   `json:"failingRows"`
	Bindings    []bindingForecastView `json:"bindings"` // those that name the experiment
}

// forecastExperiment counts what bindings would render if a variant won.
func (s *Server) forecastExperiment(w http.ResponseWriter, r *http.Request) error {
	e, err := s.experimentOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	v := winnerForecast{Winner: r.URL.Query().Get("winnerVariantId"), Bindings: []bindingForecastView{}}
	all, err := s.deps.ExperimentDesk.Forecast(r.Context(), e, v.Winner)
	if err != nil {
		return fmt.Errorf("count what the end of %q would render: %w", e.Slug, err)
	}
	for _, b := range all {
		v.Images, v.Reused, v.Unchanged = v.Images+b.Images, v.Reused+b.Reused, v.Unchanged+b.Unchanged
		v.Held, v.FailingRows = v.Held+b.Held, v.FailingRows+b.Failing
		v.Bindings = append(v.Bindings, viewOfForecast(b))
	}
	return answer(w, http.StatusOK, v)
}
