/** Seed lists about e-mail addresses: which mailboxes are a function, not a person; which domains say nothing about a company. */

/** RFC 2142 and what companies use beside it. Compared with the part before any `+tag`. */
export const ROLE_LOCAL_PARTS: ReadonlySet<string> = new Set(
  (
    'info marketing sales support noc security abuse postmaster hostmaster usenet news webmaster www uucp ftp ' +
    'help helpdesk service services customerservice customer-service customercare care contact contactus contact-us enquiries ' +
    'enquiry inquiries inquiry office hello hi team admin administrator administration root mail mailbox email reception frontdesk ' +
    'billing invoice invoices invoicing accounts accounting accountspayable accounts-payable ap ar payments payroll finance orders ' +
    'order purchasing procurement hr humanresources jobs job careers career recruiting recruitment talent press media pr legal ' +
    'compliance privacy dpo gdpr it itsupport tech technical dev ops operations feedback newsletter newsletters subscribe ' +
    'unsubscribe subscriptions notifications notification notify alerts alert updates events event partners partner vendor vendors ' +
    'noreply no-reply no_reply donotreply do-not-reply do_not_reply dontreply mailer-daemon mailerdaemon daemon bounce bounces ' +
    'mailer automated robot bot system undisclosed-recipients everyone all staff company shop store booking bookings reservations ' +
    'kontakt vertrieb verkauf rechnung buchhaltung bewerbung ventas compras contacto contato vendas comercial commercial ' +
    'facturation comptabilite accueil rh'
  ).split(' '),
);

/** Free mail: an address there is a person's, and its domain is no company's. */
export const FREE_MAIL_DOMAINS: ReadonlySet<string> = new Set(
  (
    'gmail.com googlemail.com yahoo.com yahoo.co.uk yahoo.co.in yahoo.co.jp yahoo.ca yahoo.com.au yahoo.com.br yahoo.com.mx ' +
    'yahoo.com.ar yahoo.de yahoo.fr yahoo.es yahoo.it yahoo.in ymail.com rocketmail.com myyahoo.com hotmail.com hotmail.co.uk ' +
    'hotmail.ca hotmail.de hotmail.fr hotmail.es hotmail.it hotmail.nl hotmail.be hotmail.se hotmail.com.br hotmail.com.ar ' +
    'outlook.com outlook.de outlook.fr outlook.es outlook.it outlook.jp outlook.com.br outlook.com.au outlook.co.uk outlook.ie ' +
    'live.com live.co.uk live.ca live.de live.fr live.it live.nl live.be live.se live.com.au live.com.mx msn.com passport.com ' +
    'icloud.com me.com mac.com aol.com aol.co.uk aol.de aim.com gmx.com gmx.de gmx.net gmx.at gmx.ch gmx.fr gmx.co.uk web.de ' +
    't-online.de freenet.de arcor.de mail.de posteo.de mailbox.org mail.com email.com usa.com inbox.com fastmail.com fastmail.fm ' +
    'proton.me protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tuta.io tuta.com hushmail.com hey.com zoho.com ' +
    'zohomail.com zohomail.eu yandex.com yandex.ru ya.ru mail.ru bk.ru inbox.ru list.ru rambler.ru ukr.net i.ua qq.com foxmail.com ' +
    '163.com 126.com yeah.net sina.com sina.cn sohu.com aliyun.com naver.com daum.net hanmail.net nate.com rediffmail.com ' +
    'orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr numericable.fr libero.it virgilio.it alice.it tin.it tiscali.it ' +
    'tim.it fastwebnet.it terra.es telefonica.net bol.com.br uol.com.br terra.com.br ig.com.br globo.com sapo.pt ziggo.nl kpnmail.nl ' +
    'planet.nl home.nl xs4all.nl hetnet.nl skynet.be telenet.be proximus.be bluewin.ch sunrise.ch telia.com bredband.net ' +
    'online.no wp.pl o2.pl onet.pl interia.pl gazeta.pl seznam.cz centrum.cz email.cz azet.sk freemail.hu citromail.hu abv.bg ' +
    'comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net juno.com optonline.net ' +
    'roadrunner.com frontier.com windstream.net centurylink.net shaw.ca rogers.com sympatico.ca bell.net telus.net videotron.ca ' +
    'btinternet.com btopenworld.com sky.com talktalk.net virginmedia.com ntlworld.com blueyonder.co.uk tiscali.co.uk plusnet.com ' +
    'bigpond.com bigpond.net.au optusnet.com.au iinet.net.au tpg.com.au xtra.co.nz eircom.net walla.com walla.co.il docomo.ne.jp ' +
    'ezweb.ne.jp softbank.ne.jp i.softbank.jp nifty.com'
  ).split(' '),
);
