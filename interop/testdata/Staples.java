import java.io.*;
import java.security.*;
import java.security.cert.*;
import java.util.*;
import javax.net.ssl.*;

/** A client that accepts only certificates whose OCSP responses are stapled: CA file, then ports and versions by turns. */
public class Staples {
  public static void main(String[] args) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    store.setCertificateEntry("root", CertificateFactory.getInstance("X.509").generateCertificate(new FileInputStream(args[0])));
    PKIXBuilderParameters rules = new PKIXBuilderParameters(store, new X509CertSelector());
    PKIXRevocationChecker checker = (PKIXRevocationChecker) CertPathBuilder.getInstance("PKIX").getRevocationChecker();
    checker.setOptions(EnumSet.of(PKIXRevocationChecker.Option.NO_FALLBACK)); // no lists
    rules.addCertPathChecker(checker);
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(new CertPathTrustManagerParameters(rules));
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    for (int i = 1; i < args.length; i += 2) {
      SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("localhost", Integer.parseInt(args[i]));
      socket.setEnabledProtocols(new String[] {args[i + 1]});
      try {
        socket.startHandshake();
        System.out.println("accepted, " + ((ExtendedSSLSession) socket.getSession()).getStatusResponses().size() + " responses");
      } catch (SSLException e) {
        System.out.println("refused: " + e.getMessage());
      }
      socket.close();
    }
  }
}
