package config_test

import (
	"fmt"
	"os"

	"github.com/pictifyd/pictifyd/config"
)

func ExampleNode_Decode() {
	const src = `
listen: 127.0.0.1:8080
idel: 5m
workers: 1000
`
	settings := struct {
		Listen  string          `yaml:"listen"`
		Idle    config.Duration `yaml:"idle"`
		Workers int             `yaml:"workers" min:"1" max:"64"`
	}{Workers: 4}
	node, err := config.Parse("pictifyd.yaml", []byte(src), config.Options{Env: os.LookupEnv, ReadFile: os.ReadFile})
	if err == nil {
		err = node.Decode(&settings)
	}
	fmt.Println(err)
	// Output:
	// pictifyd.yaml:3:1: unknown key "idel" (did you mean "idle"?)
	// pictifyd.yaml:4:10: workers: must be between 1 and 64, not 1000
}
