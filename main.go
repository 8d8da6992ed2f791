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
	channels.Register("wechat", func(c channels.Config) (channels.Channel, error) { return wechat.New(c) })
	channels.Register("alipay", func(c channels.Config) (channels.Channel, error) { return alipay.New(c) })
	his.Register("rest", rest.New)
	his.Register("soap", soap.New)
	if err := cmd.Execute(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
