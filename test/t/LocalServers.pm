# Servers on 127.0.0.1 for tests of leadctl fetch: as much of HTTP and FTP as
# it takes, each in a process of its own.
package LocalServers;

use strict;
use warnings;
use Exporter 'import';
use IO::Socket::INET;
use POSIX ();

our @EXPORT = qw(http_server ftp_server stop_servers);

my @children;

# serve(HANDLER): listens, and calls HANDLER with each connection in a process
# of its own; returns the port
sub serve
{
	my ($handler) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 8, ReuseAddr => 1)
	  or die "listen: $!\n";
	my $port = $listener->sockport;
	my $child = fork() // die "fork: $!\n";

	if ($child == 0)
	{
		$SIG{CHLD} = 'IGNORE';
		while (my $client = $listener->accept)
		{
			my $pid = fork() // POSIX::_exit(1);
			if ($pid == 0)
			{
				alarm 60;
				$handler->($client);
				close $client;
				POSIX::_exit(0);
			}
			close $client;
		}
		POSIX::_exit(0);
	}
	push @children, $child;
	return $port;
}

# http_server(DIRECTORY): /NAME is the file NAME, its ETag made of size and
# time; the file NAME.type says its media type. /slow never answers, /redirect
# leads to file:///etc/passwd, /endless never ends, /status/N answers N.
sub http_server
{
	my ($directory) = @_;

	return serve(sub {
		my ($client) = @_;
		my $request = <$client> // return;
		my %header;

		while (my $line = <$client>)
		{
			last if $line =~ /^\r?\n$/;
			$header{lc $1} = $2 if $line =~ /^([^:]+):\s*(.*?)\r?\n$/;
		}
		my ($path) = $request =~ m{^GET /(\S*) } or return;
		if ($path eq 'slow') { sleep 30; return; }
		if ($path eq 'redirect')
		{
			print $client "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
			return;
		}
		if ($path eq 'endless')
		{
			print $client "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
			local $SIG{PIPE} = sub { POSIX::_exit(0) };
			print $client ' ' x 65536 for 1 .. 100_000;
			return;
		}
		if ($path =~ m{^status/(\d+)})
		{
			print $client "HTTP/1.1 $1 So\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
			return;
		}
		my $file = "$directory/$path";
		if ($path =~ m{/} || !-f $file)
		{
			print $client "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
			return;
		}
		my $etag = sprintf '"%d-%d"', -s $file, (stat $file)[9];
		if (($header{'if-none-match'} // '') eq $etag)
		{
			print $client "HTTP/1.1 304 Not Modified\r\nETag: $etag\r\nConnection: close\r\n\r\n";
			return;
		}
		my $body = contents($file);
		my $type = -f "$file.type" ? contents("$file.type") : 'application/octet-stream';
		printf $client "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nETag: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		  $type, $etag, length $body, $body;
	});
}

# ftp_server(DIRECTORY, LOGIN, PASSWORD): the files of a directory, to one user
sub ftp_server
{
	my ($directory, $login, $password) = @_;

	return serve(sub {
		my ($client) = @_;
		my ($user, $known, $data) = ('', 0);
		my $say = sub { print $client "$_[0]\r\n" };

		$client->autoflush(1);
		$say->('220 ready');
		while (my $line = <$client>)
		{
			my ($command, $rest) = $line =~ /^(\w+)(?: (.*?))?\r?\n$/ or last;
			$command = uc $command;
			if ($command eq 'USER') { $user = $rest; $say->('331 password'); }
			elsif ($command eq 'PASS')
			{
				$known = $user eq $login && ($rest // '') eq $password;
				$say->($known ? '230 in' : '530 no');
			}
			elsif ($command eq 'QUIT') { $say->('221 bye'); last; }
			elsif (!$known) { $say->('530 log in'); }
			elsif ($command eq 'PWD') { $say->('257 "/"'); }
			elsif ($command eq 'TYPE' || $command eq 'CWD') { $say->('250 ok'); }
			elsif ($command eq 'EPSV')
			{
				$data = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
				$say->(sprintf '229 go (|||%d|)', $data->sockport);
			}
			elsif ($command eq 'SIZE' || $command eq 'MDTM')
			{
				my $file = "$directory/$rest";
				$say->(-f $file && $command eq 'SIZE' ? '213 ' . -s $file : '550 no');
			}
			elsif ($command eq 'NLST' || $command eq 'RETR')
			{
				my $file = "$directory/" . ($rest // '');
				if ($command eq 'RETR' && ($rest =~ m{/} || !-f $file)) { $say->('550 no'); next; }
				$say->('150 here');
				my $stream = $data->accept;
				if ($command eq 'RETR') { print $stream contents($file); }
				else
				{
					opendir(my $dir, $directory);
					print $stream "$_\r\n" for sort grep { -f "$directory/$_" } readdir $dir;
				}
				close $stream;
				$say->('226 done');
			}
			else { $say->('502 no'); }
		}
	});
}

sub contents
{
	my ($file) = @_;
	local $/;
	open my $in, '<:raw', $file or return '';
	return scalar <$in>;
}

sub stop_servers
{
	kill 'TERM', @children;
	waitpid $_, 0 for @children;
	@children = ();
	return;
}

END { local $?; stop_servers(); }

1;
