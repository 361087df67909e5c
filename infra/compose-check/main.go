// Reads a Compose file with Compose's own parser and prints what it found; exit 1 names the faulty field.
package main

import (
	"context"
	"fmt"
	"os"
	"sort"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: compose-check FILE [ENV_FILE]")
	}
	settings := []cli.ProjectOptionsFn{cli.WithProfiles([]string{"*"}), cli.WithName("sociograph")}
	if len(os.Args) > 2 {
		settings = append(settings, cli.WithEnvFiles(os.Args[2]), cli.WithDotEnv)
	}
	options, err := cli.NewProjectOptions([]string{os.Args[1]}, settings...)
	if err != nil {
		fail(err.Error())
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		fail(err.Error())
	}
	names := project.ServiceNames()
	sort.Strings(names)
	for _, name := range names {
		service := project.Services[name]
		build := ""
		if service.Build != nil {
			build = service.Build.Dockerfile
		}
		fmt.Printf("%s\t%s\t%s\n", name, service.Image, build)
	}
}

func fail(sentence string) {
	fmt.Fprintln(os.Stderr, sentence)
	os.Exit(1)
}
