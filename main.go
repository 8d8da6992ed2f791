// Command hospay gives patients' prepaid hospital deposits back online.
package main

import (
	"context"
	"fmt"
	"os"

	"hospay/channels"
	"hospay/channels/alipay"
	"hospay/channels/wechat"
	"hospay/cmd"
	"hospay/his"
	"hospay/his/rest"
	"hospay/his/soap"

	_ "hospay/pb_migrations"
)

func main() {
	channels.Register(wechat.Name, wechat.Factory, wechat.Fields()...)
	channels.Register(alipay.Name, alipay.Factory, alipay.Fields()...)
	his.Register("rest", rest.New)
	his.Register("soap", soap.New)
	err := cmd.Execute(context.Background())
	code, tell := cmd.ExitCode(err)
	if tell {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}
