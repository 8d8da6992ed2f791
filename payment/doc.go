// Package payment takes bills of HIS (缴费): registration and outpatient, through
// one channel, with the medical insurance (医保移动支付 2.0) or without it. An order
// has two legs with states of their own, the insurance at the centre and the
// cash at the channel. It decides and calls nobody but its ports; what is outside
// implements them.
package payment
