package kafka

import (
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// SASL is who we are.
type SASL struct {
	Mechanism string        `yaml:"mechanism"` // plain, scram-sha-256 or scram-sha-512
	User      string        `yaml:"user"`
	Password  config.Secret `yaml:"password"`
}

// Validate reports what is missing.
func (s *SASL) Validate() error {
	var problems problem.List
	if _, err := s.client(); err != nil {
		problems = append(problems, problem.All(err)...)
	}
	if s.User == "" {
		problems = append(problems, problem.New(problem.Invalid, "is missing").At("user"))
	}
	if s.Password.IsZero() {
		problems = append(problems, problem.New(problem.Invalid, "is missing").At("password"))
	}
	return problems.Err()
}

func (s *SASL) client() (sasl.Mechanism, error) {
	var mechanism sasl.Mechanism
	var err error
	switch s.Mechanism {
	case "plain":
		mechanism = plain.Mechanism{Username: s.User, Password: s.Password.Reveal()}
	case "scram-sha-256":
		mechanism, err = scram.Mechanism(scram.SHA256, s.User, s.Password.Reveal())
	case "scram-sha-512":
		mechanism, err = scram.Mechanism(scram.SHA512, s.User, s.Password.Reveal())
	default:
		return nil, problem.New(problem.Invalid, "%q is not a mechanism", s.Mechanism).At("mechanism").WithHint("there are plain, scram-sha-256 and scram-sha-512")
	}
	if err != nil { // a text that SASL has no form of; it may quote it
		return nil, problem.New(problem.Invalid, "user or password hold what SASL does not allow").At("user")
	}
	return mechanism, nil
}
